-- Deposits and what became of them. Who sent one is personal and stands in the log alone.

create table read_models.deposit_list (
  deposit           uuid primary key,
  branch            uuid,
  account           text collate "C",
  amount            bigint not null,
  currency          text collate "C" not null,
  deposited_at      timestamptz not null,
  reference         text not null,
  state             text collate "C" not null,
  reservation       bigint,
  recorded_position bigint not null,
  from_position     bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index deposit_list_by_record on read_models.deposit_list (recorded_position);
create index deposit_list_unmatched on read_models.deposit_list (branch, recorded_position) where state = 'unmatched';

create table read_models.deposit_list_history (
  deposit        uuid not null,
  state          text collate "C" not null,
  reservation    bigint,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (deposit, from_position)
);

call read_models.hand_over();
