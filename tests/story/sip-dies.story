story "hf-sip dies: whoever talks goes on talking, and all that may follow works"
  set   guard.hung_up_at_once 300ms
  bot   cloud-a
  bot   cloud-b
  carol calls +33400000000
  dave  calls +33400000000
  erin  calls +33400000000
  expect carol hears cloud-a
  expect dave  hears cloud-a
  expect erin  hears cloud-a
  restart hf-sip
  after  500ms
  expect carol hears cloud-a               within 1s
  carol  hangs up
  expect carol is let go                   within 1s
  expect calls 2                           within 1s
  restart hf-sip
  after  500ms
  cloud-a hangs up
  expect calls 1                           within 1s
  kill   cloud-a silently
  expect cloud-b is called                 within 3s
  expect journal says call_rescued to_name=cloud-b
  restart hf-sip
  after  500ms
  expect calls 1
  expect journal never says call_ended cause=our_fault
