story "a colleague is called by extension"
  agent anna at lyon, ready
  agent ben  at lyon, ready
  anna  calls ben
  expect ben   rings                       within 500ms
  ben   answers
  expect anna  hears ben                   within 500ms
  expect anna  is on_call
  expect ben   is on_call
  ben   hangs up
  expect anna  is let go                   within 500ms
  expect anna  is available                within 1s
  expect ben   is available                within 1s
