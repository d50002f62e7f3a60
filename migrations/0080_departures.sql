-- How far customers who left are forgotten. Whoever left before this came is looked at once more: a server may have stopped
-- in the middle.

insert into vault.outbox (policy, position)
select 'departures', coalesce(
  (select min(position) - 1 from public.events where event_type = 'CustomerLeft'),
  (select max(position) from public.events),
  0);
