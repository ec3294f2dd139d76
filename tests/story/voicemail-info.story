story "the hash key ends a message, from a phone that sends its digits by INFO"
  ladder voicemail front
  agent anna at lyon
  carol calls +33400000000
  expect carol hears a-beep                within 12s
  after  9s        # live, the greeting cannot be told from the beep
  carol  informs application/dtmf-relay "Signal=#"
  expect carol hears goodbye               within 3s
  expect box front has 1                   within 3s
  expect carol is let go                   within 6s
