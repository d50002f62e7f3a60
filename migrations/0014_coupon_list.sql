-- All coupons, what they grant and what became of them. Terms never change, so the history holds the rest only.

create table read_models.coupon_list (
  code          text collate "C" primary key,
  state         text collate "C" not null,
  reservation   bigint,
  terms         json not null,
  valid_until   timestamptz not null,
  issued_position bigint not null,
  from_position bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index coupon_list_by_issue on read_models.coupon_list (issued_position);

create table read_models.coupon_list_history (
  code           text collate "C" not null,
  state          text collate "C" not null,
  reservation    bigint,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (code, from_position)
);

call read_models.hand_over();
