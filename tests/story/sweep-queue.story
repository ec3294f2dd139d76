story "the caller may hang up at every moment in a queue"
  sweep carol hangs up
  set   queues.sales.ring 1s
  set   queues.sales.announce 1s
  set   queues.sales.max_wait 4s
  ladder queue sales, voicemail front
  agent anna at lyon, ready
  agent ben  at lyon, ready
  carol calls +33400000000
  dave  calls +33400000000
  expect anna  rings                       within 1s
  anna   declines
  after  1500ms
  expect carol hears a-beep                within 30s
  after  2s
