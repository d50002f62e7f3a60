-- How a slot is sold may be adjusted until it begins, so the history tells that too. The model's fold has another version, by
-- which every row is built anew; until then a former state is told as the slot is sold now.
alter table read_models.time_slot_calendar_history
  add column hold_minutes     integer,
  add column hold_cap_minutes integer,
  add column cancel_minutes   integer,
  add column orphan_rule      text collate "C",
  add column pool_minutes     integer;
