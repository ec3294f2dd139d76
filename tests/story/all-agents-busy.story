story "all agents are busy: the next caller waits with music and his place"
  set   queues.sales.wrap_up 1s
  set   queues.sales.announce 2s
  agent anna at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  dave   calls +33400000000
  expect dave  hears music                 within 500ms
  expect dave  hears a-voice               within 3s
  carol  hangs up
  expect anna  is wrap_up                  within 500ms
  expect anna  rings                       within 2s
  anna   answers
  expect dave  hears anna                  within 500ms
