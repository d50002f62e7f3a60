-- Whose a reservation is, if they were signed in when it was held: their own list is found by it. It never changes, so the
-- history does without. The model's fold has another version, by which every row is built anew.

alter table read_models.reservation_list add column customer uuid;

create index reservation_list_by_customer on read_models.reservation_list (customer, reservation)
  where customer is not null;
