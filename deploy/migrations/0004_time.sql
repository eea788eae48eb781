-- Up Migration

-- Progress of a lane in time. within, reached: by queue, events folded of the record after `heard`, and the latest time
-- folded; time: all that the log had by then is folded; examined, examined_time: next offset by topic/partition, and the
-- time, up to which all is examined and strays are on their way.
alter table lanes
  add column within json not null default '{}',
  add column reached json not null default '{}',
  add column time bigint not null default -1,
  add column examined json not null default '{}',
  add column examined_time bigint not null default -1;

-- Due rows are taken in the order of time, and of equal time in that of their keys.
drop index state_conversations_due;
drop index state_inboxes_due;
create index state_conversations_due on state_conversations (lane, due, key) where due is not null;
create index state_inboxes_due on state_inboxes (lane, due, key) where due is not null;

-- Down Migration

drop index state_inboxes_due;
drop index state_conversations_due;
create index state_conversations_due on state_conversations (lane, due) where due is not null;
create index state_inboxes_due on state_inboxes (lane, due) where due is not null;
alter table lanes
  drop column within,
  drop column reached,
  drop column time,
  drop column examined,
  drop column examined_time;
