-- The keys tickets are signed with. The secret half is sealed under the master secret; the public half is for everybody.
-- The newest signs; older ones stay, so that the tickets they signed are still good.

create table vault.ticket_keys (
  key_id     integer primary key,
  public_key bytea not null,
  sealed     bytea not null,
  begun_at   timestamptz not null default clock_timestamp()
);

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant select, insert on vault.ticket_keys to jari_app;
  end if;
end $$;
