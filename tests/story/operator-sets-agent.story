story "a supervisor takes an agent out of the queue and puts him back"
  agent anna at lyon, ready
  operator agent anna not_ready
  expect anna  is not_ready                within 1s
  operator agent anna available
  expect anna  is available                within 1s
  carol calls +33400000000
  expect anna  rings                       within 500ms
