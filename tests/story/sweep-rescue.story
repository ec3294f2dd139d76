story "the caller may hang up at every moment of a rescue"
  sweep carol hangs up
  bot   cloud-a
  bot   cloud-b
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  kill   cloud-a silently
  expect carol hears cloud-b               within 2s
  kill   cloud-b closed
  expect anna  rings                       within 1s
  anna   answers
  expect carol hears anna                  within 300ms
  anna   holds
  after  500ms
  anna   resumes
  after  1s
