story "an agent dials for help while hf-call stands still"
  only live
  agent anna at lyon, ready
  world will answer after 100ms
  freeze hf-call for 3s
  anna  calls 112
  expect anna  hears world                 within 1s
  expect world hears anna                  within 1s
  restart hf-sip
  restart hf-media
  expect anna  hears world                 within 1s
  expect world hears anna                  within 1s
  world hangs up
  expect anna  is let go                   within 500ms
  expect journal says call_ended number=112 ladder=emergency why=done   within 8s
