story "callers of a trunk that may dial for help do"
  only live
  bot   cloud-a
  set emergency.trunks "[carrier]"
  carol calls 112 with "Geolocation: <https://lis.example.net/carol>"
  expect world is called with "Geolocation: <https://lis.example.net/carol>"   within 1s
  expect carol hears world                 within 1s
  world hangs up
  expect carol is let go                   within 500ms
