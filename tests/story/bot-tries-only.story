story "a bot that says 100 and no more is given up"
  set   guard.setup_max 1s
  bot   cloud-a
  bot   cloud-b
  cloud-a will try only
  carol calls +33400000000
  expect carol hears cloud-b               within 2s
  expect journal says rung_ended name=cloud-a why=no_answer
