story "a bot that says nothing when it is its turn loses the caller"
  set   guard.patience_prompt 1s
  set   guard.patience_lost 2s
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  after  1s
  cloud-a goes mute
  after  500ms
  carol goes mute
  expect carol hears a-voice               within 2500ms
  expect anna  rings                       within 4s
  anna   answers
  expect carol hears anna                  within 300ms
  expect journal says call_rescued why=mute within 6s
