story "a full queue hands on"
  set   queues.sales.max_length 1
  ladder queue sales, voicemail front
  agent anna at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  dave  calls +33400000000
  expect dave  hears music                 within 500ms
  erin  calls +33400000000
  expect erin  hears a-beep                within 12s
  expect journal says evidence what=rung_skipped call=erin
