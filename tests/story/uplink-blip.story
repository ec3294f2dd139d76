story "our uplink hiccups: no caller is moved, no breaker opens"
  bot   cloud-a
  bot   cloud-b
  bot   local in the house
  ladder bot cloud-a, bot local
  ladder of +33400000001 is bot cloud-b, bot local
  crowd of 6 calls +33400000000
  carol calls +33400000001
  dave  calls +33400000001
  erin  calls +33400000001
  frank calls +33400000001
  grace calls +33400000001
  heidi calls +33400000001
  expect carol hears cloud-b               within 2s
  expect crowd-6 hears cloud-a             within 2s
  cut    uplink for 700ms
  expect carol hears a-voice               within 300ms
  after  1200ms
  expect carol hears cloud-b               within 2s
  expect cloud-a is closed
  expect cloud-b is closed
  expect local was never called
  expect journal never says call_rescued
