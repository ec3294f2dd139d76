story "two bots die one after the other, a person takes over"
  bot   cloud-a
  bot   cloud-b
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  kill   cloud-a silently
  expect carol hears a-voice               within 250ms
  expect carol hears cloud-b               within 1500ms
  kill   cloud-b closed
  expect carol hears a-voice               within 100ms
  expect anna  rings                       within 300ms
  anna   answers
  expect carol hears anna                  within 300ms
  expect journal says call_rescued from_name=cloud-a to_name=cloud-b
  expect journal says call_rescued from_name=cloud-b to_name=sales
  carol  hangs up
  expect journal says call_ended rescues=2 last_name=anna
