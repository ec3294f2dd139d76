story "a bot that speaks before it answers is heard"
  bot   cloud-a
  cloud-a will talk early
  cloud-a will answer after 1s
  carol calls +33400000000
  expect carol hears cloud-a               within 500ms
  expect carol is answered                 within 2s
