-- What one reservation adds to the numbers of its day. Nothing is counted up here, so nothing can drift: the numbers of a
-- day are sums over these rows when they are asked for. No personal values.

create table read_models.daily_numbers (
  reservation   bigint primary key,
  time_slot     uuid not null,
  stage         text collate "C" not null,
  seats         bigint not null,
  people        bigint not null,
  currency      text collate "C" not null,
  total         bigint not null,
  coupon_off    bigint not null,
  paid          bigint not null,
  is_paid       boolean not null,
  has_coupon    boolean not null,
  from_position bigint not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index daily_numbers_by_time_slot on read_models.daily_numbers (time_slot);

create table read_models.daily_numbers_history (
  reservation    bigint not null,
  time_slot      uuid not null,
  stage          text collate "C" not null,
  seats          bigint not null,
  people         bigint not null,
  total          bigint not null,
  coupon_off     bigint not null,
  paid           bigint not null,
  is_paid        boolean not null,
  has_coupon     boolean not null,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (reservation, from_position)
);

create index daily_numbers_history_by_time_slot on read_models.daily_numbers_history (time_slot);

call read_models.hand_over();
