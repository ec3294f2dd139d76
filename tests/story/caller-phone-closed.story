story "a caller's phone is gone and its port says so"
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  kill   carol closed
  expect cloud-a is let go                 within 2s
  expect journal says call_ended why=timeout  within 5s
  expect calls 0
