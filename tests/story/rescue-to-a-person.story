story "the cloud bot goes mute in mid-sentence and a person takes over"
  site  lyon
  bot   cloud-a says "How can I help?"
  agent anna    at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a                    within 2s
  kill   cloud-a silently
  expect carol hears comfort                    within 90ms
  expect carol hears a-voice                    within 250ms
  expect anna  rings                            within 1300ms
  anna   answers
  expect carol hears anna                       within 300ms
  expect carol was never re-invited
  expect journal says call_rescued why=rtp_stopped
