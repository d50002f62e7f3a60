-- What time will end: holds that run out and payments that fall due. The timers of the policies.

create table read_models.open_holds (
  reservation   bigint primary key,
  kind          text collate "C" not null,
  due_at        timestamptz not null,
  from_position bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);

create index open_holds_by_due_at on read_models.open_holds (due_at);

create table read_models.open_holds_history (
  reservation    bigint not null,
  kind           text collate "C" not null,
  due_at         timestamptz not null,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (reservation, from_position)
);

call read_models.hand_over();
