-- The seating rules of a slot. What was scheduled before has the usual ones, just as its events are read.
alter table read_models.time_slot_calendar
  add column orphan_rule  text collate "C" not null default 'off',
  add column pool_minutes integer not null default 60;
