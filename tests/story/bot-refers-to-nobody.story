story "a bot names a number we may not call: the ladder has a person"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  cloud-a refers to +4930111111
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 300ms
