story "an agent changes his state from the phone"
  set   queues.sales.wrap_up 30s
  agent anna at lyon, ready
  anna  calls not_ready
  expect anna  hears a-beep                within 1s
  expect anna  is not_ready                within 1s
  anna  calls available
  expect anna  is available                within 1s
  carol calls +33400000000
  expect anna  rings                       within 500ms
  after  2s
  anna   answers
  expect carol hears anna                  within 500ms
  after  3500ms
  carol  hangs up
  expect anna  is wrap_up                  within 1s
  anna   calls wrap_up_end
  expect anna  is available                within 1s
