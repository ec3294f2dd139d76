story "an agent dials for help, and the call leaves by itself"
  only live
  agent anna at lyon, ready
  world will answer after 300ms
  anna  calls 112
  expect world is called                   within 500ms
  expect world is called with "Priority: emergency"  within 500ms
  expect anna  is answered                 within 1s
  expect anna  hears world                 within 1s
  expect world hears anna                  within 1s
  expect anna  is available
  operator emergency
  anna  hangs up
  expect world is let go                   within 500ms
  expect journal says call_ended number=112 ladder=emergency why=caller_left last_name=carrier
  operator call last
  operator why last
  operator trace last
