story "a draining house at its limit still calls for help"
  only live
  bot   cloud-a
  agent anna at lyon, ready
  set calls_max 1
  carol calls +33400000000
  expect carol hears cloud-a
  dave  calls +33400000000
  expect dave  is refused 503              within 1s
  operator drain
  anna  calls 112
  expect anna  hears world                 within 1s
  anna  hangs up
  expect world is let go                   within 500ms
  expect carol was never let go
