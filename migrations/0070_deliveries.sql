-- What customers are told by message, and how far that is. Never who they are, nor the words: both are put together when
-- a message is sent, so whoever is erased by then is told nothing.

-- How far the log has been looked at. What happened before this came is told to nobody any more.
create table vault.outbox (
  policy   text primary key,
  position bigint not null
);
insert into vault.outbox (policy, position)
select 'notifications', coalesce(max(position), 0) from public.events;

-- One message by one way. `attempts` only grows: with `sending` it is the fence that lets only the last sender say how
-- it went.
create table vault.deliveries (
  id           uuid primary key,
  position     bigint not null,
  notice       text not null,
  channel      text not null check (channel in ('sms', 'email')),
  reservation  bigint not null,
  state        text not null check (state in ('due', 'sending', 'sent', 'failed', 'unknown', 'dropped')),
  due_at       timestamptz not null,
  next_at      timestamptz not null,
  attempts     int not null default 0,
  attempts_max int not null,
  leased_until timestamptz,
  provider_id  text,
  problem      text,
  -- Whether the reservation knows that its customer was told, as far as it is to know.
  noted        boolean not null default false,
  changed_at   timestamptz not null default clock_timestamp(),
  unique (position, notice, channel)
);
create index deliveries_due on vault.deliveries (next_at, id) where state = 'due';
create index deliveries_sending on vault.deliveries (leased_until) where state = 'sending';
create index deliveries_unnoted on vault.deliveries (id) where state = 'sent' and not noted;
create index deliveries_by_state on vault.deliveries (state, id);

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant select, update (position) on vault.outbox to jari_app;
    grant select, insert, update on vault.deliveries to jari_app;
  end if;
end $$;
