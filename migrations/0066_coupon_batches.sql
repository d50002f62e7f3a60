-- Coupons that were issued together, under one id and one name. That never changes, so the history does without. The model's
-- fold has another version, by which every row is built anew.

alter table read_models.coupon_list
  add column batch      uuid,
  add column batch_name text;

create index coupon_list_by_batch on read_models.coupon_list (batch, issued_position) where batch is not null;
