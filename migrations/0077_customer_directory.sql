-- Who has signed up. E-mail address, nickname and phone stand in the current row only: they are personal, and must be gone
-- from here when they are erased.

create table read_models.customer_directory (
  customer           uuid primary key,
  state              text collate "C" not null,
  signed_up_position bigint not null,
  email              text,
  nickname           text,
  phone              text collate "C",
  phone_parts        smallint[],
  from_position      bigint not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index customer_directory_by_sign_up on read_models.customer_directory (signed_up_position);
create index customer_directory_by_email on read_models.customer_directory
  using gin (read_models.text_parts(email)) where email is not null;
create index customer_directory_by_nickname on read_models.customer_directory
  using gin (read_models.text_parts(nickname)) where nickname is not null;
create index customer_directory_by_phone on read_models.customer_directory using gin (phone_parts)
  where phone_parts is not null;

create table read_models.customer_directory_history (
  customer           uuid not null,
  state              text collate "C" not null,
  signed_up_position bigint not null,
  from_position      bigint not null,
  until_position     bigint not null,
  primary key (customer, from_position)
);

call read_models.hand_over();

-- With a customer's key goes what this list had opened, in the same transaction. Whoever writes the list is waited for,
-- and finds its checkpoint changed as by a rebuild: so it forgets the rows it has in memory.
create function vault.forget_customer() returns trigger language plpgsql
  set search_path = read_models, public, pg_temp as $$
begin
  if old.subject ~ '^customer:[0-9a-f-]{36}$' then
    update checkpoints set builds = builds + 1 where model = 'customer_directory';
    update customer_directory set email = null, nickname = null, phone = null, phone_parts = null
     where customer = substr(old.subject, 10)::uuid;
  end if;
  return old;
end $$;

create trigger forget_customer after delete on vault.subject_keys
  for each row execute function vault.forget_customer();
