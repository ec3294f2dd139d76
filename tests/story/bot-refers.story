story "a bot sends the caller to a number on the allow-list"
  bot   cloud-a
  agent anna at lyon, ready
  world will answer after 50ms
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a refers to +33611111111
  expect world is called                   within 500ms
  expect carol hears world                 within 1s
  expect journal says call_rescued why=yielded to_kind=number
  expect anna never rings
