story "an agent may hang up at every moment of his own call"
  sweep anna hangs up
  agent anna at lyon, ready
  agent ben  at lyon, ready
  anna  calls ben
  expect ben   rings                       within 500ms
  ben   answers
  expect anna  hears ben                   within 500ms
  after  1s
  ben   hangs up
  after  1s
  anna  calls voicemail
  after  4s
