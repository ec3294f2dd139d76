story "a caller who withholds his number is anonymous to all but whom we trust"
  set   bots.cloud-b.trusted yes
  bot   cloud-a
  bot   cloud-b
  agent anna at lyon, ready
  carol calls +33400000000 with "Privacy: id"
  expect cloud-a is called with "anonymous@"            within 500ms
  expect carol hears cloud-a
  kill   cloud-a closed
  expect cloud-b is called with "P-Asserted-Identity: " within 500ms
  expect cloud-b is called with "carol"                 within 500ms
  expect carol hears cloud-b               within 1s
  kill   cloud-b closed
  expect anna  rings                       within 500ms
  expect anna  is called with "anonymous@" within 500ms
  expect cloud-a was never called with "carol"
  expect anna  was never called with "carol"
