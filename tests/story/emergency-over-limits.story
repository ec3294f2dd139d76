story "an agent who has used up his share of calls still gets help"
  only live
  agent anna at lyon, ready
  set outbound.at_once 1
  set outbound.per_hour 1
  anna  calls +33611111111
  expect anna  hears world                 within 1s
  anna  hangs up
  anna  calls +33611111111
  expect anna  is refused 403              within 1s
  anna  calls 112
  expect anna  hears world                 within 1s
  anna  hangs up
  expect world is let go                   within 500ms
