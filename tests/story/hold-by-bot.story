story "a bot puts the caller on hold: no rescue, and he comes back"
  bot   cloud-a
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a holds
  after  3s
  cloud-a resumes
  expect carol hears cloud-a               within 500ms
  expect carol was never re-invited
  expect journal never says call_rescued
