-- What is still to be paid: a payment may come in parts, and a timer ends only when the last one came. The models' folds
-- have other versions, by which every row is built anew.
alter table read_models.open_holds add column owed bigint not null default 0;
alter table read_models.open_holds_history add column owed bigint not null default 0;
alter table read_models.reservation_list add column owed bigint not null default 0;
alter table read_models.reservation_list_history add column owed bigint not null default 0;
