story "the caller may hang up at every moment of a hedged setup"
  sweep carol hangs up
  set   guard.setup_max 1s
  bot   cloud-a
  bot   cloud-b
  bot   cloud-c
  cloud-a will never try
  cloud-b will refuse 486
  carol calls +33400000000
  expect carol hears cloud-c               within 3s
  after  4s
