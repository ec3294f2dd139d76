story "an agent calls out by the allow-list, and nowhere else"
  agent anna at lyon, ready
  world will answer after 100ms
  anna  calls +33611111111
  expect world is called                   within 500ms
  expect anna  hears world                 within 1s
  anna  hangs up
  expect world is let go                   within 500ms
  anna  calls +4930111111
  expect anna  is refused 403              within 500ms
  expect anna  is available                within 500ms
