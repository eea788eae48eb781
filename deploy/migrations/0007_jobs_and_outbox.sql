-- Up Migration

-- Ended jobs are forgotten after a while: the oldest are found by this.
create index jobs_ended on jobs (queue, settled_at) where state <> 'ready';

-- What is published a moment later isn't worth being compressed: that takes four fifths of the CPU of saving it.
alter table outbox alter column value set storage external;

-- Down Migration

alter table outbox alter column value set storage extended;
drop index jobs_ended;
