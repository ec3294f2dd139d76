story "a caller who says where he has been is not believed"
  site  lyon
  neighbour bern
  bot   cloud-a
  ladder bot cloud-a, neighbour bern
  carol calls +33400000000 with "X-Holdfast-Path: lyon/0 lyon/0"
  expect cloud-a is called                 within 500ms
  expect carol hears cloud-a               within 1s
  kill   cloud-a closed
  expect bern  is called with "X-Holdfast-Path: lyon/1"   within 500ms
  expect journal never says evidence what=came_back
