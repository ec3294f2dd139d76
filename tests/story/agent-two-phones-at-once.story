story "both of an agent's phones are picked up at once: one has the call, the other is let go"
  only live
  agent anna at lyon, ready
  phone desk of anna
  ladder queue sales
  anna   will answer after 300ms
  desk   will answer after 300ms
  carol calls +33400000000
  expect anna  rings                       within 500ms
  expect desk  rings                       within 500ms
  expect anna  is on_call                  within 1s
  after  1s
  expect carol hears something             within 500ms
  expect calls 1                           within 500ms
  expect anna  is on_call                  within 500ms
  expect journal never says call_rescued
