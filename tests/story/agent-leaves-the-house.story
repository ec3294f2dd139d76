story "an agent who leaves the house takes his phone with him"
  agent anna at lyon, ready
  agent ben  at lyon, later
  reload without anna
  reload with ben
  expect ben  is offline                   within 500ms
  carol calls +33400000000
  expect carol hears goodbye               within 10s
  ben    registers
  expect ben  is available                 within 1s
  dora   calls +33400000000
  expect ben  rings                        within 500ms
  ben    answers
  expect dora hears ben                    within 500ms
  expect anna never rings
