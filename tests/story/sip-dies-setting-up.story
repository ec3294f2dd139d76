story "hf-sip dies: who rings and who waits is answered all the same"
  set   guard.hung_up_at_once 300ms
  bot   cloud-a
  agent anna at lyon, ready
  ladder of +33400000001 is queue sales
  cloud-a will ring only
  carol calls +33400000000
  expect cloud-a is called                 within 1s
  dave  calls +33400000001
  expect anna  rings                       within 500ms
  erin  calls +33400000001
  expect erin  hears music                 within 500ms
  restart hf-sip
  after  500ms
  anna   answers
  expect dave  hears anna                  within 1s
  expect erin  hears music                 within 1s
  carol  hangs up
  expect cloud-a is let go                 within 1s
  expect calls 2                           within 1s
  restart hf-sip
  after  500ms
  anna   hangs up
  expect dave  is let go                   within 1s
  expect carol was never answered
  expect erin  was never let go
  expect journal never says call_ended cause=our_fault
