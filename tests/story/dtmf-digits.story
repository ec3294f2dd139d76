story "keys pass to the bot, and to the person after the rescue"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a               within 2s
  carol presses 12
  expect cloud-a gets digits 12            within 2s
  kill   cloud-a silently
  expect anna  rings                       within 1500ms
  anna   answers
  expect carol hears anna                  within 500ms
  carol presses 7#
  expect anna  gets digits 7#              within 2s
  expect carol was never re-invited
