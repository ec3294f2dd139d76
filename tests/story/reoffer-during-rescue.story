story "the caller's phone moves while he is being rescued"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  kill   cloud-a silently
  expect carol hears comfort               within 90ms
  carol  reoffers
  expect anna  rings                       within 1500ms
  anna   answers
  expect carol hears anna                  within 500ms
