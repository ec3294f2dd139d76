story "hf-call dies: who was not ready stays so, a breaker that was opened stays open"
  bot   cloud-a
  bot   cloud-b
  agent anna at lyon, ready
  agent ben  at lyon, ready
  ladder of +33400000001 is queue sales
  operator agent anna not_ready
  operator helper cloud-a open
  expect anna  is not_ready                within 1s
  expect cloud-a is open                   within 1s
  restart hf-call
  after  1s
  expect anna  is not_ready                within 1s
  expect ben   is available                within 1s
  expect cloud-a is open                   within 1s
  carol calls +33400000000
  expect carol hears cloud-b               within 1s
  dave  calls +33400000001
  expect ben   rings                       within 1s
  expect anna never rings
