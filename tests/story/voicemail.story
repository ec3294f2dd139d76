story "a message is left, kept, listened to and deleted"
  ladder voicemail front
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears a-voice               within 1s
  expect carol hears a-beep                within 12s
  after  9s        # live, the greeting cannot be told from the beep
  carol  hangs up
  expect box front has 1                   within 3s
  anna   calls voicemail
  expect anna  hears something             within 2s
  after  1s
  anna   presses 7
  expect box front has 0                   within 3s
  expect anna  hears a-voice               within 4s
  anna   hangs up
