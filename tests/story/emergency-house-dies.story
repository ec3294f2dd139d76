story "the keeper dies, then the whole house: who called for help is connected again"
  only live
  agent anna at lyon, ready
  set rtp.workers 2
  anna  calls 112
  expect anna  hears world                 within 1s
  restart holdfastd
  after  1s
  expect anna  hears world                 within 1s
  restart house
  expect anna  hears world                 within 3s
  expect world hears anna                  within 3s
  world hangs up
  expect anna  is let go                   within 1s
  expect journal says call_ended number=112 ladder=emergency why=done
