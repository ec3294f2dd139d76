story "holdfastd dies and is started again: nobody notices"
  only  live
  set   queues.sales.wrap_up 200ms
  agent anna at lyon, ready
  bot   cloud-a
  bot   cloud-b
  ladder of +33400000001 is queue sales
  carol calls +33400000000
  dave  calls +33400000001
  expect anna  rings                       within 500ms
  expect carol hears cloud-a
  restart holdfastd
  expect carol hears no gap of 100ms
  anna   answers
  expect dave  hears anna
  expect anna  hears dave
  erin  calls +33400000001
  expect erin  hears music                 within 500ms
  restart holdfastd
  restart holdfastd
  expect carol hears no gap of 100ms
  expect dave  hears no gap of 100ms
  expect erin  hears no gap of 100ms
  expect calls 3                           within 1s
  dave   hangs up
  expect anna is let go                    within 1s
  expect anna  rings                       within 2s
  anna   answers
  expect erin  hears anna                  within 1s
  kill   cloud-a silently
  restart holdfastd
  expect cloud-b is called                 within 1s
  expect carol hears cloud-b               within 3s
  expect journal says call_rescued to_name=cloud-b
  expect journal never says call_ended cause=our_fault
