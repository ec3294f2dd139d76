story "a BYE right after the answer is a failure, not an end"
  bot   cloud-a
  bot   cloud-b
  cloud-a will hang up after 500ms
  carol calls +33400000000
  expect carol hears cloud-a               within 1s
  expect carol hears cloud-b               within 1500ms
  expect journal says call_rescued why=hung_up_at_once
  expect carol was never let go
