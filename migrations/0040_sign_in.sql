-- How people prove who they are. None of it is in the log, which only knows that a password was changed.

-- Argon2id hashes, salted and peppered with the master secret: without it nobody can even begin to guess.
create table vault.credentials (
  principal  text collate "C" primary key,
  hash       text not null,
  changed_at timestamptz not null
);

-- Who is signed in. The token itself is known to its holder alone; deleting the row ends the session everywhere at once.
create table vault.sessions (
  id           uuid primary key,
  token_hash   bytea not null unique check (length(token_hash) = 32),
  principal    text collate "C" not null,
  begun_at     timestamptz not null,
  seen_at      timestamptz not null,
  idle_seconds int not null check (idle_seconds > 0),
  ends_at      timestamptz not null
);
create index sessions_principal on vault.sessions (principal, begun_at);
create index sessions_ends_at on vault.sessions (ends_at);

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant select, insert, delete, update (hash, changed_at) on vault.credentials to jari_app;
    grant select, insert, delete, update (seen_at) on vault.sessions to jari_app;
  end if;
end $$;
