-- What must not be in the log: the keys of persons' values, and the vault's own settings.

create schema vault;

-- One key per person (for guests: per reservation), wrapped under the master secret. Deleting the row erases the person
-- from the log for ever, without touching the log.
create table vault.subject_keys (
  subject    text collate "C" primary key,
  wrapped    bytea not null,
  created_at timestamptz not null
);

-- A fingerprint of the master secret, so that a wrong one is refused at start and not met as unreadable data.
create table vault.settings (
  name  text primary key,
  value bytea not null
);

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant usage on schema vault to jari_app;
    grant select, delete on vault.subject_keys to jari_app;
    grant select, insert on vault.settings to jari_app;
  end if;
end $$;
