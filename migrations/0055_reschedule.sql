-- A reservation can move to another time slot, so its former states have one each. The model's fold has another version,
-- by which every row is built anew; until then the slot of a former state is that of the reservation.

alter table read_models.reservation_list_history add column time_slot uuid;
