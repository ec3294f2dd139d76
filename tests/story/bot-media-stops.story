story "the bot's media stops while its signalling lives on"
  bot   cloud-a
  agent anna at lyon, ready
  carol calls +33400000000
  expect carol hears cloud-a
  kill   cloud-a media
  expect carol hears comfort               within 90ms
  expect carol hears a-voice               within 250ms
  expect anna  rings                       within 1300ms
  expect cloud-a is let go                 within 1300ms
  anna   answers
  expect carol hears anna                  within 300ms
  expect journal says rung_ended name=cloud-a why=rtp_stopped
