story "a bot that rings for ever is given up"
  set   guard.setup_max 1s
  bot   cloud-a
  agent anna at lyon, ready
  cloud-a will ring only
  carol calls +33400000000
  expect carol hears ringback              within 500ms
  expect anna  rings                       within 2s
  anna   answers
  expect carol hears anna                  within 300ms
