story "an operator ends a call; both sides are let go"
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  operator drop 0.1
  expect carol is let go                   within 500ms
  expect cloud-a is let go                 within 500ms
  expect journal says call_ended why=operator
  expect calls 0
