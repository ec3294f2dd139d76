story "an account calls the world so often, and no more"
  agent anna at lyon, ready
  set outbound.per_hour 2
  world will answer after 100ms
  anna  calls +33611111111
  expect world is called                   within 500ms
  expect anna  hears world                 within 1s
  anna  hangs up
  expect world is let go                   within 500ms
  expect anna  is available                within 500ms
  anna  calls +33622222222
  expect world is called                   within 500ms
  anna  hangs up
  expect world is let go                   within 1s
  expect anna  is available                within 1s
  anna  calls +33633333333
  expect anna  is refused 403              within 500ms
  expect journal says call_ended why=over_limit
  expect anna  is available                within 500ms
