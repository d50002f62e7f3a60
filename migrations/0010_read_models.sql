-- Read models: tables folded from the log, to be thrown away and built again at any time (`jari rebuild`).
--
-- Each model has a table of the same name and, unless its rows never change, `{model}_history` with the former states
-- of its rows: a state was true for the positions from_position <= p < until_position.
-- Nothing here is named by other tables, so a model can be built in the schema `shadow` and moved in by one transaction.

create schema read_models;
create schema shadow;

-- How far each model has read the log, by which version of its fold, and how often it was built anew. The row is locked
-- by the transaction that writes the model, so that two processes never both do.
create table read_models.checkpoints (
  model    text collate "C" primary key,
  version  integer not null,
  builds   integer not null default 0,
  position bigint not null
) with (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- Rows that stand still because an event could not be folded into them; replayed from `position` after the fix.
create table read_models.parked_keys (
  model    text collate "C",
  key      text collate "C",
  position bigint not null,
  reason   text not null,
  primary key (model, key)
);

-- Gives the tables of read models to the role the server works as: it builds them beside and swaps them by itself.
-- Where a managed database forbids that role, they stay with the migrating one.
create procedure read_models.hand_over() language plpgsql as $$
declare
  found record;
begin
  if not exists (select from pg_roles where rolname = 'jari_app') then
    return;
  end if;
  alter schema read_models owner to jari_app;
  alter schema shadow owner to jari_app;
  for found in
    select c.relname from pg_class c
     where c.relnamespace = 'read_models'::regnamespace and c.relkind = 'r'
       and pg_get_userbyid(c.relowner) <> 'jari_app'
  loop
    execute format('alter table read_models.%I owner to jari_app', found.relname);
  end loop;
end $$;

call read_models.hand_over();
