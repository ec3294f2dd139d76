story "an agent who dialled passes the other on, and so does who was dialled"
  agent anna at lyon, ready
  agent ben  at lyon, ready
  agent cleo at lyon, ready
  world will answer after 50ms
  anna  calls +33611111111
  expect anna  hears world                 within 1s
  anna   refers to ben
  expect ben   rings                       within 500ms
  ben    answers
  expect world hears ben                   within 500ms
  expect ben   hears world                 within 500ms
  expect anna  is notified 200             within 500ms
  expect anna  is let go                   within 500ms
  expect anna  is available                within 500ms
  expect ben   is on_call
  ben    refers to cleo
  expect cleo  rings                       within 500ms
  ben    hangs up
  expect ben   is available                within 500ms
  expect world hears music                 within 500ms
  cleo   answers
  expect world hears cleo                  within 500ms
  cleo   hangs up
  expect world is let go                   within 500ms
  expect calls 0
