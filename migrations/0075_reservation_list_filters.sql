-- An index for every filter of the lists that staff work with.

-- The single characters and the pairs of a text, in small letters, each once: what is looked for anywhere in a text has
-- no other characters and pairs than that text, so an index of them finds it. An extension for this (pg_trgm) is not
-- everywhere, and knows no pairs, of which most names here are made.
create function read_models.text_parts(text) returns text[] language sql immutable strict parallel safe as $$
  select coalesce(array_agg(distinct substr(lower($1), i, n)), '{}')
    from generate_series(1, length($1)) i, generate_series(1, 2) n
   where i + n <= length($1) + 1
$$;

-- Of a name nothing is kept but the name: what the index holds goes with it when it is erased.
create index reservation_list_by_name on read_models.reservation_list using gin (read_models.text_parts(name))
  where name is not null;
create index reservation_list_by_short_code on read_models.reservation_list (short_code) where short_code is not null;
create index reservation_list_by_coupon on read_models.reservation_list (coupon) where coupon is not null;
create index reservation_list_by_placed on read_models.reservation_list (placed_position, reservation)
  where placed_position is not null;
create index reservation_list_by_stage on read_models.reservation_list (stage, reservation);
-- What still has to be paid, and what has been.
create index reservation_list_by_due on read_models.reservation_list (reservation)
  where placed_position is not null and paid_position is null;
create index time_slot_calendar_by_start on read_models.time_slot_calendar (starts_at, time_slot);
-- Of the coupons: by what they count for, and by what they were redeemed for.
create index coupon_list_by_reservation on read_models.coupon_list (reservation) where reservation is not null;
