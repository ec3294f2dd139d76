story "the house dies and is started again: whoever talks goes on talking"
  only  live
  set   queues.sales.wrap_up 200ms
  agent anna at lyon, ready
  bot   cloud-a
  bot   cloud-b
  ladder of +33400000001 is queue sales
  carol calls +33400000000
  dave  calls +33400000001
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears cloud-a
  expect dave  hears anna
  expect anna  hears dave
  restart house
  after  1s
  expect calls 2                           within 2s
  expect carol hears cloud-a               within 2s
  expect dave  hears anna                  within 2s
  expect anna  hears dave                  within 2s
  kill   cloud-a silently
  expect cloud-b is called                 within 3s
  expect carol hears cloud-b               within 3s
  dave   hangs up
  expect anna is let go                    within 1s
  erin  calls +33400000001
  expect anna  rings                       within 8s
  expect journal says call_rescued to_name=cloud-b
