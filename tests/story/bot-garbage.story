story "a bot that sends noise loses the caller"
  set   guard.garbage 1s
  bot   cloud-a
  bot   cloud-b
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a sends garbage
  expect carol hears cloud-b               within 4s
  expect journal says call_rescued why=garbage within 6s
