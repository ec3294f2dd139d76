story "an agent who dialled passes on, leaves, and nobody takes over"
  agent anna at lyon, ready
  agent ben  at lyon, ready
  world will answer after 50ms
  anna  calls +33611111111
  expect anna  hears world                 within 1s
  anna   refers to ben
  expect ben   rings                       within 500ms
  anna   hangs up
  expect world hears music                 within 500ms
  ben    declines
  expect world is let go                   within 500ms
  expect calls 0
