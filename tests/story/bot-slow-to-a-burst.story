story "a bot that is slow to many callers at once was slow once, and stays in"
  bot   cloud-a
  bot   cloud-b
  cut   cloud-a for 400ms
  carol calls +33400000000
  dave  calls +33400000000
  erin  calls +33400000000
  frank calls +33400000000
  expect carol hears cloud-b               within 1s
  expect dave  hears cloud-b               within 1s
  expect erin  hears cloud-b               within 1s
  expect frank hears cloud-b               within 1s
  expect cloud-a is closed
  after 500ms                              # the cut is over
  greta calls +33400000000
  expect greta hears cloud-a               within 1s
