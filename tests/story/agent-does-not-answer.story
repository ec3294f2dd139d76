story "an agent does not answer: the next one's phone rings"
  set   queues.sales.ring 1s
  agent anna at lyon, ready
  agent ben  at lyon, ready
  carol calls +33400000000
  expect carol hears music                 within 500ms
  expect anna  rings                       within 500ms
  expect ben   rings                       within 2s
  expect anna  is let go                   within 2s
  ben    answers
  expect carol hears ben                   within 300ms
  expect journal says rung_ended kind=agent name=anna why=no_answer
