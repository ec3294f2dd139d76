story "a hedge that loses a moment after it was rung has not failed"
  only sim
  bot   cloud-a
  bot   cloud-b
  cloud-b will never try
  cut   cloud-a for 400ms
  carol calls +33400000000
  expect carol hears cloud-a               within 1s
  cut   cloud-a for 400ms
  dave  calls +33400000000
  expect dave  hears cloud-a               within 1s
  cut   cloud-a for 400ms
  erin  calls +33400000000
  expect erin  hears cloud-a               within 1s
  expect cloud-b is closed
  expect journal never says rung_ended name=cloud-b why=no_100
