story "the last hop of a call is its last: no site, and nobody behind a bot"
  site  lyon
  neighbour bern
  bot   cloud-a
  ladder neighbour bern, bot cloud-a
  carol calls +33400000000 with "Max-Forwards: 1"
  expect cloud-a is called with "Max-Forwards: 0"  within 500ms
  expect carol hears cloud-a               within 1s
  expect bern  was never called
  expect journal says evidence what=rung_skipped
