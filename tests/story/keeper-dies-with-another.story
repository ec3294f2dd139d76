story "holdfastd dies, and one after another dies while nobody is there to restart it"
  only  live
  agent anna at lyon, ready
  bot   cloud-a
  ladder of +33400000001 is queue sales
  carol calls +33400000000
  dave  calls +33400000001
  expect anna  rings                       within 500ms
  expect carol hears cloud-a
  restart holdfastd with hf-call
  expect carol hears no gap of 100ms
  anna   answers
  expect dave  hears anna                  within 1s
  erin  calls +33400000001
  expect erin  hears music                 within 500ms
  restart holdfastd with hf-sip
  expect carol hears no gap of 100ms
  expect dave  hears no gap of 100ms
  restart holdfastd with hf-store
  expect carol hears no gap of 100ms
  restart holdfastd with hf-media
  expect carol hears cloud-a               within 2s
  expect dave  hears anna                  within 2s
  expect anna  hears dave                  within 2s
  expect erin  hears music                 within 2s
  expect calls 3                           within 1s
  dave   hangs up
  expect anna is let go                    within 1s
  expect journal never says call_rescued
  expect journal never says call_ended cause=our_fault
