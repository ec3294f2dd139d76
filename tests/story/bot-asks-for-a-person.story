story "a bot asks for a person by its BYE"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a hangs up saying "agent"
  expect carol hears a-voice               within 100ms
  expect anna  rings                       within 300ms
  anna   answers
  expect carol hears anna                  within 300ms
  expect journal says call_rescued why=yielded
  expect carol was never let go
