story "nobody is ready in time: the call is answered all the same"
  set   trunks.carrier.answer_when_ready yes
  set   trunks.carrier.ready_max 1s
  agent anna at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  expect carol hears music                 within 500ms
  expect carol is answered                 within 1500ms
