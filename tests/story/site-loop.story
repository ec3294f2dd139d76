story "a call that goes round between sites is stopped"
  site  lyon
  neighbour bern
  bot   cloud-a
  ladder neighbour bern, bot cloud-a
  bern  calls +33400000000 with "X-Holdfast-Path: lyon/0 bern/1 lyon/1 bern/1"
  expect bern  is refused 482              within 500ms
  expect cloud-a was never called
