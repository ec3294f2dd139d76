story "an agent's code leads to his own box, and with a number to the others"
  ladder voicemail front
  ladder of +33400000001 is voicemail night
  set   voicemail.night.agents [anna]
  agent anna at lyon, ready
  carol calls +33400000001
  expect carol hears a-beep                within 12s
  after  9s
  carol  hangs up
  expect box night has 1                   within 3s
  anna   calls *91
  expect anna  hears a-voice               within 4s
  expect anna  is let go                   within 9s
  expect box night has 1
  anna   calls voicemail
  expect anna  hears something             within 2s
  after  1s
  anna   presses 7
  expect box night has 0                   within 3s
  anna   hangs up
