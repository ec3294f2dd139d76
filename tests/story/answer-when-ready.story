story "the call is answered when a proven helper is on the line, not before"
  set   trunks.carrier.answer_when_ready yes
  set   guard.never 600ms
  bot   cloud-a
  bot   cloud-b
  cloud-a will send no media
  carol calls +33400000000
  expect carol hears cloud-b               within 2s
  expect carol is answered                 within 2s
  expect journal says rung_ended name=cloud-a why=rtp_never_came
