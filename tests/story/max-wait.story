story "who waits too long may leave a message"
  set   queues.sales.max_wait 1s
  ladder queue sales, voicemail front
  agent anna at lyon, ready
  anna  calls not_ready
  expect anna  is not_ready                within 1s
  anna  calls available
  expect anna  is available                within 1s
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  dave   calls +33400000000
  expect dave  hears music                 within 500ms
  expect dave  hears a-beep                within 12s
  expect journal says rung_ended kind=queue why=max_wait call=dave
