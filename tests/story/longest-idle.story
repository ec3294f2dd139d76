story "the agent who has been idle longest is rung first"
  set   queues.sales.wrap_up 0s
  agent anna at lyon, ready
  agent ben  at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  carol  hangs up
  expect anna  is available                within 1s
  dave   calls +33400000000
  expect ben   rings                       within 500ms
