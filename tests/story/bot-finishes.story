story "a bot that is done lets the caller go"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  after  3500ms
  cloud-a hangs up
  expect carol is let go                   within 500ms
  expect journal says call_ended why=done
  expect anna never rings
