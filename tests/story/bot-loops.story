story "a bot caught in a loop loses the caller"
  set   guard.loop 1s
  set   guard.loop_times 2
  bot   cloud-a
  bot   cloud-b
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a loops
  expect carol hears cloud-b               within 9s
  expect journal says call_rescued why=loop
