story "a bot caught in a loop loses the caller"
  set   guard.loop_times 2
  bot   cloud-a
  bot   cloud-b
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a loops
  expect carol hears cloud-b               within 15s
  expect journal says call_rescued why=loop within 16s
