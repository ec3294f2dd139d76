story "hf-media dies: everybody is connected again"
  bot   cloud-a
  agent anna at lyon, ready
  ladder of +33400000001 is queue sales
  carol calls +33400000000
  expect carol hears cloud-a
  dave  calls +33400000001
  expect anna  rings                       within 500ms
  erin  calls +33400000001
  expect erin  hears music                 within 500ms
  restart hf-media
  after  500ms
  expect carol hears cloud-a               within 1s
  expect erin  hears music                 within 1s
  anna   answers
  expect dave  hears anna                  within 1s
  expect journal never says call_rescued
