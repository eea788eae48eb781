-- Up Migration

-- Ended jobs are forgotten after a while: the oldest are found by this.
create index jobs_ended on jobs (queue, settled_at) where state <> 'ready';

-- Records are published a moment later, and are not compressed: that would be four fifths of the CPU of saving them.
alter table outbox alter column value set storage external;

-- Down Migration

alter table outbox alter column value set storage extended;
drop index jobs_ended;
