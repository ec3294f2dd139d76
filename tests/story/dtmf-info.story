story "digits and INFO reach the bot, a re-INVITE moves the caller"
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  carol  presses 123
  expect cloud-a gets digits 123           within 2s
  carol  informs application/x-note "hello"
  expect cloud-a gets info application/x-note within 1s
  carol  reoffers
  after  300ms
  carol  presses 4
  expect carol hears cloud-a               within 500ms
  expect journal never says call_rescued
