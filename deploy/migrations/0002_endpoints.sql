-- Up Migration

-- Endpoints that are told over HTTP of the events of notifications.
create table webhook_endpoints (
  id text collate "C" primary key,
  url text not null,
  -- whsec_ and base64: the key that signs (Standard Webhooks); whoever reads it can forge
  secret text not null,
  -- notification.triggered …; null: all there are and will be
  event_types text[],
  enabled boolean not null default true,
  description text not null default '',
  created_at timestamptz not null default now()
);

-- Each try at a delivery, as history: nothing is decided by it. A delivery's id is that of its job.
create table webhook_attempts (
  delivery_id text collate "C" not null,
  attempt int not null,
  -- when it ended
  at timestamptz not null,
  endpoint_id text collate "C" not null,
  -- the answer's status; null where none came
  status int,
  error text,
  duration_ms int not null,
  -- how the answer's body begins
  excerpt text,
  primary key (delivery_id, attempt, at)
);
create index webhook_attempts_of_endpoint on webhook_attempts (endpoint_id, at);
-- Rows come in the order of time: a retention finds the oldest by this.
create index webhook_attempts_by_time on webhook_attempts using brin (at);

-- Down Migration

drop table webhook_attempts;
drop table webhook_endpoints;
