story "hf-media stands still for half a second: our own stall is not the helper's"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a               within 2s
  after  1s
  freeze hf-media for 500ms
  after  2s
  expect carol hears cloud-a               within 500ms
  expect carol never hears a-voice
  expect anna  never rings
  expect cloud-a is closed
  expect journal never says call_rescued
