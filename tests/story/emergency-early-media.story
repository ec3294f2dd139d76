story "what the emergency centre says before it answers is heard"
  only live
  agent anna at lyon, ready
  world will talk early
  world will answer after 2s
  anna  calls 112
  expect anna  hears world                 within 1s
  anna  hangs up
  expect world is let go                   within 500ms
  expect anna  was never answered
  expect journal says call_ended number=112 why=caller_left
