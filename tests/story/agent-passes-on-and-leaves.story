story "an agent passes on and hangs up before the colleague has answered"
  agent anna at lyon, ready
  agent ben  at lyon, ready serves other
  queue sales
  queue other
  ladder queue sales
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  anna   refers to ben
  expect ben   rings                       within 500ms
  anna   hangs up
  expect carol hears a-voice               within 500ms
  expect anna  is wrap_up                  within 500ms
  ben    answers
  expect carol hears ben                   within 500ms
  expect journal says call_rescued why=yielded to_name=ben
