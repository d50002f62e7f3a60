-- Erasing a person: the key goes, and with it every sealed value in the log and in all copies of it; and so does what
-- the list of reservations had opened, in the same transaction.

-- Says whether there was a key. Whoever writes the list is waited for, and finds its checkpoint changed as by a rebuild:
-- so it forgets the rows it has in memory and starts over from the table. Every process hears of it when this commits.
create function vault.erase(person text) returns boolean language plpgsql volatile
  set search_path = read_models, public, pg_temp as $$
begin
  update checkpoints set builds = builds + 1
   where model = 'reservation_list' and exists (select from vault.subject_keys where subject = person);
  delete from vault.subject_keys where subject = person;
  if not found then
    return false;
  end if;
  perform pg_notify('jari_log', 'erased ' || person);
  if person ~ '^reservation:[1-9][0-9]{0,18}$' then
    update reservation_list set name = null, phone = null, phone_parts = null
     where reservation = substr(person, 13)::numeric;
  end if;
  return true;
end $$;

revoke execute on function vault.erase from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant execute on function vault.erase to jari_app;
  end if;
end $$;

-- Whoever was erased before this came.
update read_models.checkpoints set builds = builds + 1 where model = 'reservation_list';
update read_models.reservation_list r set name = null, phone = null, phone_parts = null
 where (r.name is not null or r.phone is not null)
   and not exists (select from vault.subject_keys where subject = 'reservation:' || r.reservation);
