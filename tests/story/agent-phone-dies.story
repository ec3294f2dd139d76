story "an agent's phone dies in the middle of a talk: a colleague takes over"
  set   guard.lost 600ms
  agent anna at lyon, ready
  agent ben  at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  kill   anna silently
  expect carol hears a-voice               within 250ms
  expect ben   rings                       within 1200ms
  ben    answers
  expect carol hears ben                   within 500ms
  expect anna  is not_ready
  expect journal says call_rescued from_name=anna why=rtp_stopped
