story "who was dialled dies: the agent is free again"
  set   calls.silent_max 2s
  set   sip.t1 50ms
  agent anna at lyon, ready
  world will answer after 50ms
  anna  calls +33611111111
  expect anna  hears world                 within 1s
  kill   world silently
  expect anna  is let go                   within 20s
  expect anna  is available                within 22s
  expect calls 0                           within 22s
