story "a bot that was only thinking keeps its caller"
  set   guard.patience_prompt 1s
  set   guard.patience_lost 4s
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  after  1s
  cloud-a goes mute
  after  500ms
  carol goes mute
  expect carol hears a-voice               within 2500ms
  cloud-a talks
  expect carol hears cloud-a               within 3s
  after  1s
  expect anna never rings
  expect journal never says call_rescued
