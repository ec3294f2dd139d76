story "a bot comes back while the voice speaks: nobody is switched"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  cut    cloud-a for 500ms
  expect carol hears comfort               within 90ms
  expect carol hears a-voice               within 250ms
  after  700ms
  expect carol hears cloud-a               within 1s
  after  1s
  expect anna  never rings
  expect cloud-a is closed
  expect journal never says call_rescued
