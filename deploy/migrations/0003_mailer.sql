-- Up Migration

-- The mailer's state by key: what people have chosen about all their mail.
create table state_mailer (
  lane int not null,
  key text collate "C" not null,
  value json not null,
  due bigint,
  primary key (lane, key)
) with (fillfactor = 80);
create index state_mailer_due on state_mailer (lane, due) where due is not null;

-- Down Migration

drop table state_mailer;
