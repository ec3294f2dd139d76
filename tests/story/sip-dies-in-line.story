story "hf-sip dies: its phones are known, who waits is served, who is held is still held"
  set   guard.hung_up_at_once 200ms
  set   queues.sales.wrap_up 300ms
  bot   cloud-a
  agent anna at lyon, ready
  ladder of +33400000001 is queue sales
  carol calls +33400000000
  expect carol hears cloud-a
  dave  calls +33400000001
  expect anna  rings                       within 500ms
  anna   answers
  expect dave  hears anna                  within 1s
  erin  calls +33400000001
  expect erin  hears music                 within 500ms
  carol  holds
  expect cloud-a is held                   within 1s
  restart hf-sip
  after  500ms
  carol  resumes
  expect cloud-a is resumed                within 1s
  expect carol hears cloud-a               within 1s
  dave   hangs up
  expect dave  is let go                   within 1s
  expect anna  rings                       within 2s
  anna   answers
  expect erin  hears anna                  within 1s
  restart hf-sip
  after  500ms
  erin   hangs up
  expect erin  is let go                   within 1s
  expect calls 1                           within 1s
  expect journal never says call_ended cause=our_fault
