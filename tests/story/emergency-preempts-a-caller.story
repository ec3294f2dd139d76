story "the only channel is held by a caller with a bot: he makes room"
  only live
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  world will refuse 503
  anna  calls 112
  expect carol is let go                   within 1s
  world will behave
  expect anna  hears world                 within 3s
  expect journal says call_ended why=preempted number=+33400000000
  anna  hangs up
