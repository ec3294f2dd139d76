story "a BYE whose Reason names an error is a failure"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  after  3200ms
  cloud-a hangs up with 503
  expect carol hears a-voice               within 100ms
  expect anna  rings                       within 300ms
  expect journal says call_rescued why=error_bye
