story "hf-call dies: calls that are up, that wait and that ring go on"
  bot   cloud-a
  agent anna at lyon, ready
  ladder of +33400000001 is queue sales
  carol calls +33400000000
  expect carol hears cloud-a
  dave  calls +33400000001
  expect anna  rings                       within 500ms
  erin  calls +33400000001
  expect erin  hears music                 within 500ms
  restart hf-call
  after  1s
  anna   answers
  expect dave  hears anna                  within 1s
  expect carol hears cloud-a               within 1s
  expect erin  hears music                 within 1s
  kill   cloud-a closed
  expect carol hears music                 within 8s
  expect carol was never let go
  expect erin was never let go
