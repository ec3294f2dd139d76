story "the only agent's phone dies: voicemail is better than nothing"
  set   guard.lost 600ms
  ladder queue sales, voicemail front
  agent anna at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  kill   anna silently
  expect carol hears a-voice               within 250ms
  expect carol hears a-beep                within 9s
