story "the bot's sockets are closed: the kernel says so and nobody waits"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  kill   cloud-a closed
  expect carol hears a-voice               within 100ms
  expect anna  rings                       within 200ms
  expect journal says rung_ended name=cloud-a why=icmp
  anna   answers
  expect carol hears anna                  within 300ms
  expect carol was never re-invited
