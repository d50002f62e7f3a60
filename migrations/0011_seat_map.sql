-- Who has which seat of a time slot. A seat nobody ever touched has no row; one given back has a row that says free,
-- so that a reader of changes since a position sees it.

create table read_models.seat_map (
  time_slot     uuid not null,
  label         text collate "C" not null,
  state         text collate "C" not null,
  reservation   bigint,
  from_position bigint not null,
  primary key (time_slot, label)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create table read_models.seat_map_history (
  time_slot      uuid not null,
  label          text collate "C" not null,
  state          text collate "C" not null,
  reservation    bigint,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (time_slot, label, from_position)
);

call read_models.hand_over();
