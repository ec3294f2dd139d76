story "hf-store is dead, and so is hf-call: the record comes when they are back"
  only live
  agent anna at lyon, ready
  freeze hf-store for 3s
  restart hf-call
  freeze hf-call for 2s
  anna  calls 112
  expect anna  hears world                 within 1s
  anna  hangs up
  expect world is let go                   within 500ms
  expect journal says call_ended number=112 ladder=emergency why=caller_left   within 8s
