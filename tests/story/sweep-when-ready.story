story "the caller may hang up at every moment before the answer"
  sweep carol hangs up
  set   trunks.carrier.answer_when_ready yes
  set   guard.never 500ms
  bot   cloud-a
  bot   cloud-b
  agent anna at lyon, ready
  cloud-a will send no media
  cloud-b will talk early
  cloud-b will answer after 1s
  carol calls +33400000000
  expect carol is answered                 within 4s
  kill   cloud-b closed
  expect anna  rings                       within 1s
  anna   answers
  after  1s
