story "a number without a ladder is not found"
  bot   cloud-a
  carol calls +33499999999
  expect carol is refused 404              within 1s
  expect journal says call_ended why=unknown_number
  expect calls 0
