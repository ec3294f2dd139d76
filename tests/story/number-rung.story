story "an outside number is a rung, too"
  bot   cloud-a
  ladder bot cloud-a, number +33622222222
  world will answer after 300ms
  cloud-a will refuse 503
  carol calls +33400000000
  expect world is called                   within 1s
  expect carol hears world                 within 2s
