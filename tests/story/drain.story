story "a draining house takes no new call and keeps those it has"
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  operator drain
  dave  calls +33400000000
  expect dave  is refused 503              within 1s
  expect journal says call_ended why=drain
  expect carol was never let go
