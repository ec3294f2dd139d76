story "an agent may hang up at every moment"
  sweep anna hangs up
  ladder queue sales, voicemail front
  agent anna at lyon, ready
  agent ben  at lyon, ready
  carol calls +33400000000
  expect anna  rings                       within 1s
  anna   answers
  expect carol hears anna                  within 300ms
  anna   holds
  after  1s
  anna   resumes
  after  3s
  carol  hangs up
  after  12s
