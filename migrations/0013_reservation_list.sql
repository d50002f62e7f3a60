-- All reservations from the first held seat to the end. Name and phone stand in the current row only: they are
-- personal, and must be gone from here when they are erased; earlier states are joined with the current row.

create table read_models.reservation_list (
  reservation       bigint primary key,
  stage             text collate "C" not null,
  time_slot         uuid not null,
  seats             text[] collate "C" not null,
  party             bigint not null,
  total             bigint not null,
  currency          text collate "C" not null,
  hold_until        timestamptz,
  pay_by            timestamptz,
  payment           text collate "C",
  coupon            text collate "C",
  short_code        text collate "C",
  placed_position   bigint,
  paid_position     bigint,
  notified_position bigint,
  attended_position bigint,
  name              text,
  phone             text collate "C",
  phone_parts       smallint[],
  from_position     bigint not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index reservation_list_by_time_slot on read_models.reservation_list (time_slot);
-- Any three digits in a row of the phone number, as numbers: finds a part of it wherever it stands.
create index reservation_list_by_phone on read_models.reservation_list using gin (phone_parts)
  where phone_parts is not null;

create table read_models.reservation_list_history (
  reservation       bigint not null,
  stage             text collate "C" not null,
  seats             text[] collate "C" not null,
  party             bigint not null,
  total             bigint not null,
  hold_until        timestamptz,
  pay_by            timestamptz,
  paid_position     bigint,
  notified_position bigint,
  attended_position bigint,
  from_position     bigint not null,
  until_position    bigint not null,
  primary key (reservation, from_position)
);

call read_models.hand_over();
