-- What signing in with an account at a provider needs besides sessions: nothing of it is in the log, and none of it tells who.

-- Nonces that were given out for one sign-in each, known here only by their hashes. Whoever signs in takes the row away.
create table vault.sign_in_nonces (
  nonce_hash bytea primary key check (length(nonce_hash) = 32),
  ends_at    timestamptz not null
);
create index sign_in_nonces_ends_at on vault.sign_in_nonces (ends_at);

-- From where an account has signed in: a keyed hash of both. Whoever tries passwords from elsewhere does not keep its
-- owner out of there.
create table vault.known_places (
  place_hash bytea primary key check (length(place_hash) = 32),
  seen_at    timestamptz not null
);
create index known_places_seen_at on vault.known_places (seen_at);

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant select, insert, delete on vault.sign_in_nonces to jari_app;
    grant select, insert, delete, update (seen_at) on vault.known_places to jari_app;
  end if;
end $$;
