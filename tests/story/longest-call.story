story "no call lasts for ever"
  set   calls.longest 2s
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  expect carol is let go                   within 3s
  expect cloud-a is let go                 within 500ms
  expect journal says call_ended why=timeout  within 5s
