story "the caller may hang up at every moment of voicemail"
  sweep carol hangs up
  ladder voicemail front
  set   voicemail.front.max 3s
  agent anna at lyon
  carol calls +33400000000
  expect carol hears a-beep                within 12s
  expect carol hears goodbye               within 9s
  expect carol is let go                   within 6s
