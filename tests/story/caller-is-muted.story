story "a caller whose phone sends nothing while it is muted stays"
  set   calls.silent_max 1s
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  kill   carol media
  after  12s
  expect carol hears cloud-a
  expect calls 1
