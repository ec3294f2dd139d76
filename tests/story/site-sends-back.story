story "a call that comes back from a site goes on behind the rung that sent it there"
  site  lyon
  neighbour bern
  bot   cloud-a
  bot   cloud-b
  ladder bot cloud-a, neighbour bern, bot cloud-b
  bern  calls +33400000000 with "X-Holdfast-Path: lyon/1 bern/0"
  expect cloud-b is called                 within 500ms
  expect bern  hears cloud-b               within 1s
  expect cloud-a was never called
  expect journal says evidence what=came_back
