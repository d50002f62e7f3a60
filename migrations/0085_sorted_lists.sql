-- Who waits can be found by a part of the name or phone (DOMAIN E6). Both stand in the current row only: they are personal,
-- and must be gone from here when they are erased. Lines and deposits can be listed in more than one order.

alter table read_models.waitlist_queue
  add column name text,
  add column phone text collate "C",
  add column phone_parts smallint[];

create index waitlist_queue_by_join on read_models.waitlist_queue (joined_position);
create index waitlist_queue_by_name on read_models.waitlist_queue using gin (read_models.text_parts(name))
  where name is not null;
create index waitlist_queue_by_phone on read_models.waitlist_queue using gin (phone_parts) where phone_parts is not null;
create index deposit_list_by_day on read_models.deposit_list (deposited_at, deposit);
create index deposit_list_by_amount on read_models.deposit_list (amount, deposit);

-- With the key of who waits goes what this list had opened, in the same transaction. Whoever writes the list is waited for,
-- and finds its checkpoint changed as by a rebuild: so it forgets the rows it has in memory.
create function vault.forget_waiter() returns trigger language plpgsql
  set search_path = read_models, public, pg_temp as $$
begin
  if old.subject ~ '^reservation:[1-9][0-9]{0,18}$' then
    update checkpoints set builds = builds + 1 where model = 'waitlist_queue';
    update waitlist_queue set name = null, phone = null, phone_parts = null
     where entry = substr(old.subject, 13)::numeric;
  end if;
  return old;
end $$;

create trigger forget_waiter after delete on vault.subject_keys
  for each row execute function vault.forget_waiter();
