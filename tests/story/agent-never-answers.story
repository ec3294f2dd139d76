story "an agent who misses two rings is not rung again"
  set   queues.sales.ring 1s
  ladder queue sales, voicemail front
  agent anna at lyon, ready
  carol calls +33400000000
  expect anna  is not_ready                within 4s
  expect carol hears a-beep                within 8s
  expect journal says agent_moved name=anna state=not_ready
