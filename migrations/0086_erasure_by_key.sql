-- Erasing finds the rows of a reservation by their key: a number as text was compared as numeric, which no index knows, and
-- whoever writes these lists waited for it.

create function vault.reservation_of(subject text) returns bigint language sql immutable parallel safe
  return case when subject ~ '^reservation:[1-9][0-9]{0,18}$' and substr(subject, 13)::numeric <= 9223372036854775807
              then substr(subject, 13)::bigint end;

create or replace function vault.erase(person text) returns boolean language plpgsql volatile
  set search_path = read_models, public, pg_temp as $$
declare
  found_number constant bigint := vault.reservation_of(person);
begin
  update checkpoints set builds = builds + 1
   where model = 'reservation_list' and exists (select from vault.subject_keys where subject = person);
  delete from vault.subject_keys where subject = person;
  if not found then
    return false;
  end if;
  perform pg_notify('jari_log', 'erased ' || person);
  if found_number is not null then
    update reservation_list set name = null, phone = null, phone_parts = null where reservation = found_number;
  end if;
  return true;
end $$;

create or replace function vault.forget_waiter() returns trigger language plpgsql
  set search_path = read_models, public, pg_temp as $$
declare
  found_number constant bigint := vault.reservation_of(old.subject);
begin
  if found_number is not null then
    update checkpoints set builds = builds + 1 where model = 'waitlist_queue';
    update waitlist_queue set name = null, phone = null, phone_parts = null where entry = found_number;
  end if;
  return old;
end $$;
