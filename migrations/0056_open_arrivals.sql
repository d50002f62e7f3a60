-- Who is still expected, and when they count as absent: the timers of the policy that marks no-shows.

create table read_models.open_arrivals (
  reservation   bigint primary key,
  absent_at     timestamptz not null,
  from_position bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);

create index open_arrivals_by_absent_at on read_models.open_arrivals (absent_at);

create table read_models.open_arrivals_history (
  reservation    bigint not null,
  absent_at      timestamptz not null,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (reservation, from_position)
);

call read_models.hand_over();
