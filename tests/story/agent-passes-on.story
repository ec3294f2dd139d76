story "an agent passes his caller on, and stays until the colleague has answered"
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
  expect carol hears anna                  within 500ms
  ben    answers
  expect carol hears ben                   within 500ms
  expect anna  is notified 200             within 500ms
  expect anna  is let go                   within 500ms
  expect anna  is wrap_up                  within 500ms
  expect carol was never let go
  expect carol was never re-invited
  expect journal never says call_rescued
