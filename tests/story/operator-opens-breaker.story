story "an operator takes a bot out, and gives it back"
  bot   cloud-a
  bot   cloud-b
  operator helper cloud-a open
  expect cloud-a is open
  carol calls +33400000000
  expect carol hears cloud-b               within 1s
  operator helper cloud-a auto
  expect cloud-a is closed
  dave  calls +33400000000
  expect dave hears cloud-a                within 1s
  expect journal says operator_acted
