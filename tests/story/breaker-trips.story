story "three refused calls in a row, and the bot is asked no more"
  bot   cloud-a
  bot   cloud-b
  cloud-a will refuse 500
  carol calls +33400000000
  expect carol hears cloud-b               within 1s
  dave  calls +33400000000
  expect dave  hears cloud-b               within 1s
  erin  calls +33400000000
  expect erin  hears cloud-b               within 1s
  expect cloud-a is open                   within 500ms
  expect journal says breaker_moved name=cloud-a state=open
