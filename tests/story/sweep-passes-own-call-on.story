story "an agent who hangs up at any moment of passing his own call on"
  sweep anna hangs up
  agent anna at lyon, ready
  agent ben  at lyon, ready
  world will answer after 50ms
  anna  calls +33611111111
  expect anna  hears world                 within 1s
  anna   refers to ben
  expect ben   rings                       within 500ms
  after  200ms
  ben    answers
  expect world hears ben                   within 500ms
  after  200ms
  ben    hangs up
