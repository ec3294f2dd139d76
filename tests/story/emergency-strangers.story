story "who is no agent and on no trunk that may gets no emergency number"
  only live
  bot   cloud-a
  carol calls 112
  expect carol is refused 404              within 1s
  expect world was never called
