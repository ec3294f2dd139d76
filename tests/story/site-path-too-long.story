story "a call that has been through more sites than can be told is a loop"
  only live
  neighbour bern
  bot   cloud-a
  bern  calls +33400000000 with "X-Holdfast-Path: a-site-with-a-rather-long-name/0 another-one-with-such-a-name/0 and-a-third-that-is-no-better/0 and-a-fourth-which-is-too-much/0"
  expect bern  is refused 482              within 500ms
  expect cloud-a was never called
