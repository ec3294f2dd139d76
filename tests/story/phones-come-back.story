story "hf-sip dies: a phone that comes back goes on with its call, and is rung for the next"
  set   queues.sales.wrap_up 300ms
  agent anna at lyon, ready
  ladder queue sales
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 1s
  dave  calls +33400000000
  expect dave  hears music                 within 500ms
  restart hf-sip
  after  500ms
  anna   registers
  after  500ms
  expect anna  is on_call                  within 500ms
  carol  hangs up
  expect anna  is let go                   within 3s
  expect anna  rings                       within 2s
  anna   answers
  expect dave  hears anna                  within 1s
  expect journal never says call_ended cause=our_fault
