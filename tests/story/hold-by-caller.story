story "a caller holds and resumes; the bot's silence means nothing meanwhile"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  carol  holds
  expect cloud-a is held                   within 500ms
  kill   cloud-a media
  after  2s
  revive cloud-a
  carol  resumes
  expect cloud-a is resumed                within 500ms
  expect carol hears cloud-a               within 500ms
  after  1500ms
  expect anna  never rings
  expect journal never says call_rescued
