story "a colleague who cannot take over leaves the caller where he is"
  agent anna at lyon, ready
  agent ben  at lyon, ready serves other
  queue sales
  queue other
  ladder queue sales
  ladder of +33400000001 is queue other
  dora  calls +33400000001
  expect ben   rings                       within 500ms
  ben    answers
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  anna   refers to ben
  expect anna  is notified 486             within 500ms
  expect carol hears anna                  within 500ms
  anna   refers to +4930111111
  expect anna  is notified 403             within 500ms
  dora   hangs up
  expect ben   is wrap_up                  within 500ms
  anna   refers to ben
  expect ben   rings                       within 500ms
  ben    declines
  expect anna  is notified 486             within 500ms
  expect carol hears anna                  within 500ms
  expect anna  is on_call
  expect journal never says call_rescued
