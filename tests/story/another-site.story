story "another site takes over, and is told where the call has been"
  site  lyon
  neighbour bern
  bot   cloud-a
  ladder bot cloud-a, neighbour bern
  carol calls +33400000000
  expect carol hears cloud-a
  kill   cloud-a closed
  expect bern  is called with "X-Holdfast-Path: lyon/1"   within 500ms
  expect carol hears bern                  within 1s
