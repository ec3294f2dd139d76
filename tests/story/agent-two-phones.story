story "an agent's phones ring at once: a busy one is passed over, the first to answer has the call"
  only live
  set   queues.sales.wrap_up 300ms
  agent anna at lyon, ready
  phone desk of anna
  ladder queue sales
  carol calls +33400000000
  expect anna  rings                       within 500ms
  expect desk  rings                       within 500ms
  desk   answers
  expect carol hears desk                  within 500ms
  expect anna  is let go                   within 500ms
  carol  hangs up
  expect desk  is let go                   within 1s
  expect anna  is available                within 2s
  desk   will refuse 486
  dave  calls +33400000000
  expect anna  rings                       within 1s
  anna   answers
  expect dave  hears anna                  within 500ms
