story "no 100 from the first bot: the next one is rung beside it and wins"
  bot   cloud-a
  bot   cloud-b
  cloud-a will never try
  carol calls +33400000000
  expect cloud-b is called                 within 500ms
  expect carol hears cloud-b               within 800ms
  expect journal says rung_ended name=cloud-a why=no_100
