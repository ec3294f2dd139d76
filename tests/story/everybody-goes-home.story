story "the last agent goes: those who wait go on down the ladder"
  ladder queue sales, voicemail front
  agent anna at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  dave  calls +33400000000
  expect dave  hears music                 within 500ms
  operator agent anna not_ready
  after  3500ms
  carol  hangs up
  expect dave  hears a-beep                within 12s
