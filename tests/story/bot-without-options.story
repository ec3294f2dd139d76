story "a bot that has never answered OPTIONS is not locked out for ever"
  set   guard.probe_every 60s
  set   guard.probe_timeout 300ms
  set   guard.rest_min 500ms
  set   guard.breaker_heal 1
  set   guard.breaker_trip 2
  bot   cloud-a
  bot   cloud-b
  cloud-a will never try
  carol calls +33400000000
  expect carol hears cloud-b               within 1s
  dave  calls +33400000000
  expect dave  hears cloud-b               within 1s
  expect cloud-a is open                   within 1s
  expect cloud-a is ramp                   within 4s
