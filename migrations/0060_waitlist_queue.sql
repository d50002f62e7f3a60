-- Who waits for which slot, in the order they came, and what became of them. Nothing personal: who to call stands in the
-- log only, sealed.

create table read_models.waitlist_queue (
  entry           bigint primary key,
  time_slot       uuid not null,
  places          smallint not null,
  people          smallint not null,
  customer        uuid,
  joined_position bigint not null,
  state           text collate "C" not null,
  seats           text[] collate "C" not null,
  offered_until   timestamptz,
  from_position   bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- The line of a slot: those who wait, in order.
create index waitlist_queue_by_time_slot on read_models.waitlist_queue (time_slot, joined_position);
create index waitlist_queue_waiting on read_models.waitlist_queue (time_slot) where state = 'waiting';
create index waitlist_queue_by_customer on read_models.waitlist_queue (customer) where customer is not null;

create table read_models.waitlist_queue_history (
  entry          bigint not null,
  state          text collate "C" not null,
  seats          text[] collate "C" not null,
  offered_until  timestamptz,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (entry, from_position)
);

call read_models.hand_over();
