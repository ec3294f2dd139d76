story "a bot that says 100 now and then is slow, not dead"
  only sim
  bot   cloud-a
  bot   cloud-b
  cut   cloud-a for 400ms
  carol calls +33400000000
  expect carol hears cloud-b               within 1s
  cut   cloud-a for 400ms
  dave  calls +33400000000
  expect dave  hears cloud-b               within 1s
  after  500ms
  cloud-a will refuse 486
  erin  calls +33400000000
  expect erin  hears cloud-b               within 1s
  frank calls +33400000000
  expect frank hears cloud-b               within 1s
  expect cloud-a is closed
