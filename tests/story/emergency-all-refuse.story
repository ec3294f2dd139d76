story "no trunk takes a call for help: the caller hears the last one's word"
  only live
  trunk spare
  agent anna at lyon, ready
  set emergency.via "[carrier, spare]"
  world will refuse 503
  spare will refuse 484
  anna  calls 112
  expect anna  is refused 484              within 1s
  expect journal says call_ended number=112 ladder=emergency why=refused steps=2
