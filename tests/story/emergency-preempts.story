story "no channel is left: another call makes room for help"
  only live
  agent anna at lyon, ready
  agent ben  at lyon, ready
  world will take 1 at once
  ben   calls +33611111111
  expect ben   hears world                 within 1s
  anna  calls 911
  expect ben   is let go                   within 500ms
  expect anna  hears world                 within 2s
  expect anna  is answered                 within 1s
  expect journal says call_ended why=preempted number=+33611111111
  anna  hangs up
  expect journal says call_ended number=911 ladder=emergency why=caller_left
