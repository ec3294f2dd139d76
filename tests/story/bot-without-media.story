story "a bot answers and no packet comes"
  set   guard.never 1s
  bot   cloud-a
  bot   cloud-b
  cloud-a will send no media
  carol calls +33400000000
  expect carol hears cloud-b               within 2s
  expect journal says rung_ended name=cloud-a why=rtp_never_came
