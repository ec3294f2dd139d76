story "a bot that refuses hands on to the next one, unheard"
  bot   cloud-a
  bot   cloud-b
  cloud-a will refuse 503
  carol calls +33400000000
  expect carol hears cloud-b               within 1s
  expect journal says rung_ended name=cloud-a why=refused code=503
  expect carol never hears a-voice
