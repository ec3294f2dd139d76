story "nobody is left: the caller hears a goodbye, not silence"
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  kill   cloud-a closed
  expect carol hears goodbye               within 4s
  expect carol is let go                   within 12s
  expect journal says call_ended why=ladder_ended within 12s
