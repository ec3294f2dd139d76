story "who calls from outside gets no line out of the house"
  bot   cloud-a
  world will answer after 100ms
  carol calls +33611111111
  expect carol is refused 404              within 1s
  expect journal says call_ended why=unknown_number
  dave  calls +33400000000
  expect dave  hears cloud-a               within 1s
  dave  refers to +33611111111
  after  1s
  expect dave  hears cloud-a
  expect world was never called
