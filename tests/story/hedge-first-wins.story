story "the first bot was only slow to say 100: it wins, the hedge is cancelled"
  only sim
  bot   cloud-a
  bot   cloud-b
  cloud-b will answer after 2s
  cut   cloud-a for 400ms
  carol calls +33400000000
  expect cloud-b is called                 within 500ms
  expect carol hears cloud-a               within 800ms
  expect cloud-b is let go                 within 1s
  expect carol never hears cloud-b
