story "the phone of an agent who dialled dies: the line outside is given back"
  set   calls.silent_max 2s
  set   sip.t1 50ms
  agent anna at lyon, ready
  world will answer after 50ms
  anna  calls +33611111111
  expect anna  hears world                 within 1s
  kill   anna  silently
  expect world is let go                   within 20s
  expect calls 0                           within 22s
  expect journal says call_ended why=timeout  within 22s
