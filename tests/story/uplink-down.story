story "our uplink is down: calls go to the house, breakers stay as they are"
  bot   cloud-a
  bot   cloud-b
  bot   local in the house
  ladder bot cloud-a, bot cloud-b, bot local
  ladder of +33400000001 is bot cloud-b, bot cloud-a, bot local
  crowd of 6 calls +33400000000
  carol calls +33400000001
  dave  calls +33400000001
  erin  calls +33400000001
  frank calls +33400000001
  grace calls +33400000001
  heidi calls +33400000001
  expect carol hears cloud-b               within 2s
  expect crowd-6 hears cloud-a             within 2s
  cut    uplink for 4s
  expect carol hears a-voice               within 300ms
  expect carol hears local                 within 1800ms
  expect crowd-3 hears local               within 1800ms
  expect cloud-a is closed
  expect cloud-b is closed
  after  5s
  expect journal says call_rescued why=uplink to_name=local
