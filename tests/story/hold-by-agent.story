story "an agent puts the caller on hold: music, no rescue"
  agent anna at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 500ms
  anna   answers
  expect carol hears anna                  within 500ms
  anna   holds
  expect carol hears music                 within 500ms
  after  2s
  anna   resumes
  expect carol hears anna                  within 500ms
  expect carol was never re-invited
  expect journal never says call_rescued
