story "a bot that suppresses silence is judged by OPTIONS"
  set   guard.probe_every 300ms
  set   guard.probe_timeout 400ms
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a suppresses silence
  expect journal says evidence what=silence_suppressed within 8s
  kill   cloud-a silently
  expect anna  rings                       within 4s
  expect journal says call_rescued why=options_failed
