-- Up Migration

-- A processor's hold on each lane: who took it last (epoch), what it has taken of the log (cursors: next offset by
-- topic/partition; heard: last sequence by sender) and the number of the last entry in its outbox stream.
create table lanes (
  processor text not null,
  lane int not null,
  epoch bigint not null,
  cursors json not null default '{}',
  heard json not null default '{}',
  sequence bigint not null default 0,
  primary key (processor, lane)
);

-- State by key. json, not jsonb: stored as written, and a NUL escaped in a text is no error.
create table state_conversations (
  lane int not null,
  key text collate "C" not null,
  value json not null,
  due bigint,
  primary key (lane, key)
) with (fillfactor = 80);
create index state_conversations_due on state_conversations (lane, due) where due is not null;

create table state_inboxes (
  lane int not null,
  key text collate "C" not null,
  value json not null,
  due bigint,
  primary key (lane, key)
) with (fillfactor = 80);
create index state_inboxes_due on state_inboxes (lane, due) where due is not null;

-- Records to publish. Each is saved with the rows that it follows from, and deleted when it is on the log.
create table outbox (
  stream text collate "C" not null,
  sequence bigint not null,
  topic text not null,
  partition int,
  key text,
  value bytea not null,
  saved_at timestamptz not null default now(),
  primary key (stream, sequence)
);
create sequence outbox_of_queues;

-- Work outside of transactions. A job keeps its row when it has ended, so that the same id is never worked twice.
create table jobs (
  queue text collate "C" not null,
  id text collate "C" not null,
  payload json not null,
  state text not null default 'ready' check (state in ('ready', 'done', 'dead')),
  -- ready: when it may be leased; while it is, the end of the lease
  run_at bigint not null,
  attempts int not null default 0,
  token uuid,
  error text,
  saved_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (queue, id)
);
create index jobs_ready on jobs (queue, run_at) where state = 'ready';

-- Down Migration

drop table jobs;
drop sequence outbox_of_queues;
drop table outbox;
drop table state_inboxes;
drop table state_conversations;
drop table lanes;
