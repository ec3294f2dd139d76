story "a queue without people is skipped"
  ladder queue sales, voicemail front
  agent anna at lyon
  carol calls +33400000000
  expect carol hears a-beep                within 12s
  expect journal never says rung_ended kind=queue
