-- Who did what, where: one narrow row per event, which never changes; the rest is joined from the log by position, and
-- a stream's own trail is the log's primary key. One index that costs a writer next to nothing: per block range, which
-- actors, events and branches it may hold.

create table read_models.audit_trail (
  position   bigint primary key,
  event_type text collate "C" not null,
  actor_kind text collate "C",
  actor_id   text collate "C",
  branch     uuid
) with (autovacuum_vacuum_insert_scale_factor = 0.05);

create index audit_trail_by_block on read_models.audit_trail
  using brin (position, actor_id text_bloom_ops, event_type text_bloom_ops, branch uuid_bloom_ops)
  with (pages_per_range = 64, autosummarize = on);

call read_models.hand_over();
