story "a caller's phone dies without a word: nobody talks to the void for ever"
  set   calls.silent_max 2s
  set   sip.t1 50ms
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  kill   carol silently
  expect cloud-a is let go                 within 20s
  expect journal says call_ended why=timeout  within 22s
  expect calls 0                           within 22s
