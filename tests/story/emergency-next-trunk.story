story "the first trunk refuses, the second says nothing, the third takes it"
  only live
  trunk mute
  trunk spare
  agent anna at lyon, ready
  set emergency.via "[carrier, mute, spare]"
  world will refuse 404
  mute  will never try
  anna  calls 112
  expect world is called                   within 500ms
  expect spare is called                   within 2s
  expect anna  hears spare                 within 1s
  expect journal never says call_ended why=preempted
  anna  hangs up
  expect journal says call_ended number=112 why=caller_left last_name=spare steps=3
