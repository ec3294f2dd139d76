story "a bot that answers late is waited for with ringback"
  bot   cloud-a
  cloud-a will answer after 2s
  carol calls +33400000000
  expect carol hears ringback              within 500ms
  expect carol hears cloud-a               within 3s
  expect journal never says call_rescued
