story "a caller who hangs up while he is passed on leaves nothing behind"
  sweep carol hangs up
  agent anna at lyon, ready
  agent ben  at lyon, ready serves other
  queue sales
  queue other
  ladder queue sales
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  anna   refers to ben
  expect ben   rings                       within 500ms
  after  200ms
  ben    answers
  expect carol hears ben                   within 500ms
