-- What is on, where and when, and how many places are taken. What a slot fixed when it was scheduled never changes, so
-- the history holds the rest only.

create table read_models.time_slot_calendar (
  time_slot      uuid primary key,
  branch         uuid not null,
  movie          uuid,
  auditorium     uuid,
  layout_version bigint,
  theme          uuid,
  party_min      smallint,
  party_max      smallint,
  starts_at      timestamptz not null,
  ends_at        timestamptz not null,
  sales_open_at  timestamptz not null,
  sales_close_at timestamptz not null,
  price_policy   uuid not null,
  price_version  bigint not null,
  seats_per_customer_max smallint not null,
  hold_minutes   integer not null,
  hold_cap_minutes integer not null,
  cancel_minutes integer not null,
  capacity       bigint not null,
  state          text collate "C" not null,
  taken          bigint not null,
  from_position  bigint not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index time_slot_calendar_by_branch on read_models.time_slot_calendar (branch, starts_at);
create index time_slot_calendar_by_movie on read_models.time_slot_calendar (movie, starts_at) where movie is not null;
create index time_slot_calendar_by_theme on read_models.time_slot_calendar (theme, starts_at) where theme is not null;

create table read_models.time_slot_calendar_history (
  time_slot      uuid not null,
  state          text collate "C" not null,
  taken          bigint not null,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (time_slot, from_position)
);

call read_models.hand_over();
