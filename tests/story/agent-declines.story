story "an agent declines: the caller keeps his place"
  agent anna at lyon, ready
  agent ben  at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   declines
  expect ben   rings                       within 500ms
  ben    answers
  expect carol hears ben                   within 300ms
