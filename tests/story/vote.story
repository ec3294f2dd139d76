story "many calls of one bot fall silent: all are moved in half a second, the breaker opens"
  set   guard.rest_min 1s
  set   guard.probe_every 200ms
  set   guard.probe_timeout 300ms
  set   guard.breaker_heal 2
  set   guard.ramp_step 500ms
  bot   cloud-a
  bot   cloud-b
  crowd of 8 calls +33400000000
  expect crowd-8 hears cloud-a             within 2s
  kill   cloud-a silently
  expect crowd-1 hears a-voice             within 300ms
  expect crowd-1 hears cloud-b             within 900ms
  expect crowd-8 hears cloud-b             within 900ms
  expect cloud-a is open
  carol  calls +33400000000
  expect carol hears cloud-b               within 500ms
  revive cloud-a
  expect cloud-a is trial                  within 3s
  expect cloud-a is ramp                   within 5s
  expect cloud-a is closed                 within 9s
  dave   calls +33400000000
  expect dave  hears cloud-a               within 500ms
  expect journal says breaker_moved name=cloud-a state=open
