-- The money of every placed reservation: what came, what goes back. Nothing personal stands here.

create table read_models.reservation_money (
  reservation   bigint primary key,
  payment       text collate "C" not null,
  currency      text collate "C" not null,
  price         bigint not null,
  received      bigint not null,
  given_back    bigint not null,
  retained      bigint not null,
  ended         boolean not null,
  offered       boolean not null,
  by_provider   boolean not null,
  refund_due    bigint not null,
  from_position bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Transfers that are awaited, by what is still to be paid.
create index reservation_money_by_outstanding on read_models.reservation_money ((price - received + given_back))
  where payment = 'bank_transfer' and received - given_back < price;
create index reservation_money_by_refund_due on read_models.reservation_money (reservation) where refund_due > 0;

create table read_models.reservation_money_history (
  reservation    bigint not null,
  price          bigint not null,
  received       bigint not null,
  given_back     bigint not null,
  retained       bigint not null,
  ended          boolean not null,
  offered        boolean not null,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (reservation, from_position)
);

call read_models.hand_over();
