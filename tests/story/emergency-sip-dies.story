story "hf-sip dies while a call for help rings, and while it is up"
  only live
  agent anna at lyon, ready
  world will answer after 2s
  anna  calls 112
  expect world is called                   within 500ms
  restart hf-sip
  expect anna  is answered                 within 4s
  expect anna  hears world                 within 5s
  restart hf-sip
  expect anna  hears world                 within 1s
  expect world hears anna                  within 1s
  world hangs up
  expect anna  is let go                   within 2s
  expect journal says call_ended number=112 ladder=emergency why=done
