-- Who makes reservation numbers under which worker id: a lease, so that a dead process gives its id back by itself.

create table vault.worker_leases (
  worker int primary key check (worker between 0 and 1023),
  holder uuid not null,
  until  timestamptz not null
);

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant select, insert, update on vault.worker_leases to jari_app;
  end if;
end $$;
