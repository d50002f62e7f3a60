-- The log: one table, one way in. Rows are only ever added; positions are 1, 2, 3, … in commit order, without gaps.
--
-- `events` is the table of postgres-es 0.5 with two more columns, so a stock cqrs-es program can read and write it.
-- `json` and not `jsonb`: it keeps the bytes as they were written. Ids collate "C" so that prefix reads use the index.

create table events (
  aggregate_type text collate "C" not null,
  aggregate_id   text collate "C" not null,
  sequence       bigint not null check (sequence >= 0),
  event_type     text not null,
  event_version  text not null,
  payload        json not null,
  metadata       json not null,
  position       bigint not null unique check (position > 0),
  recorded_at    timestamptz not null,
  primary key (aggregate_type, aggregate_id, sequence)
);

-- Which answer a client key belongs to. Written in the transaction of the events it names; kept 30 days.
create table idempotency_keys (
  scope          text collate "C" not null,
  key            text collate "C" not null,
  fingerprint    bytea not null,
  first_position bigint not null,
  last_position  bigint not null,
  recorded_at    timestamptz not null,
  primary key (scope, key)
);
create index idempotency_keys_by_age on idempotency_keys using brin (recorded_at);

create function refuse_to_change_the_log() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % on % is refused', lower(tg_op), tg_table_name
    using errcode = 'integrity_constraint_violation', hint = 'Correct a fact by appending another one.';
end $$;

create trigger append_only before update or delete or truncate on events
  for each statement execute function refuse_to_change_the_log();

-- Rows of a stock postgres-es writer arrive without a position and get theirs here, under the same lock as everyone's.
-- Volatile, so that it sees what was committed while it waited, and the rows before it in the same statement.
create function place_in_the_log() returns trigger language plpgsql volatile
  set search_path = public, pg_temp as $$
declare
  last_position bigint;
  last_recorded_at timestamptz;
begin
  perform pg_advisory_xact_lock(1784771177);
  select e.position, e.recorded_at into last_position, last_recorded_at from events e order by e.position desc limit 1;
  new.position := coalesce(last_position, 0) + 1;
  new.recorded_at := greatest(last_recorded_at, clock_timestamp());
  return new;
end $$;

create trigger place_in_the_log before insert on events
  for each row when (new.position is null) execute function place_in_the_log();

-- Appends a batch of commands in one round trip and one commit; each gets its own verdict.
--
-- c_*: one per command: its moment, the metadata of all its events, the numbers of its first and last event in e_*.
-- i_*: one per idempotency key. s_*: one per stream a command read or writes, with the sequence it must stand at.
-- e_*: one per event, in the order of the commands; e_stream is the number of its stream in s_*.
-- k_*: one per new key of a person (vault), wrapped.
-- No two commands of a batch may share a stream that one of them writes, nor a key: the caller sees to that.
--
-- Answers the last position before this batch and the moment it was recorded at. A command which is not listed in
-- `refused` was appended: its events follow `base` in order, those of refused commands left out. A refused command is
-- listed once per reason: duplicate (found_first, found_last: the positions of the first answer), key_reused, clock,
-- conflict (found_first: where the stream stands; found_last: its number in s_*), subject (its person's key exists).
--
-- The lock is held to the end of the commit, so positions are given in commit order. Arrays are read by number and not
-- by unnest, plans are forced to be generic and sequential scans ruled out, because that was measured to be fastest.
create function append(
  c_now timestamptz[], c_metadata json[], c_first int[], c_last int[],
  i_cmd int[], i_scope text[], i_key text[], i_fingerprint bytea[],
  s_cmd int[], s_type text[], s_id text[], s_expect bigint[],
  e_stream int[], e_sequence bigint[], e_type text[], e_version text[], e_payload json[],
  k_cmd int[], k_subject text[], k_wrapped bytea[],
  out base bigint, out at timestamptz,
  out refused int[], out verdicts text[], out found_first bigint[], out found_last bigint[])
language plpgsql volatile security definer
  set search_path = public, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set jit = off
as $$
declare
  skipped int[];
begin
  perform pg_advisory_xact_lock(1784771177);
  select e.position, e.recorded_at into base, at from events e order by e.position desc limit 1;
  base := coalesce(base, 0);
  at := greatest(at, clock_timestamp());

  select array_agg(r.cmd), array_agg(r.verdict), array_agg(r.f), array_agg(r.l)
    into refused, verdicts, found_first, found_last
    from (
      select i_cmd[i], case when k.fingerprint = i_fingerprint[i] then 'duplicate' else 'key_reused' end,
             k.first_position, k.last_position
        from generate_series(1, cardinality(i_cmd)) i
        join idempotency_keys k on k.scope = i_scope[i] and k.key = i_key[i]
      union all
      select c, 'clock', null, null from generate_series(1, cardinality(c_now)) c where c_now[c] > at
      union all
      select s_cmd[i], 'conflict', stands.sequence, i
        from generate_series(1, cardinality(s_cmd)) i
        cross join lateral (
          select coalesce((select e.sequence from events e
                            where e.aggregate_type = s_type[i] and e.aggregate_id = s_id[i]
                            order by e.sequence desc limit 1), 0)) stands(sequence)
       where stands.sequence <> s_expect[i]
      union all
      select k_cmd[i], 'subject', null, null
        from generate_series(1, cardinality(k_cmd)) i
        join vault.subject_keys v on v.subject = k_subject[i]
    ) r(cmd, verdict, f, l);

  if refused is not null then
    -- Per command: how many events before its own are left out; null if it is refused itself.
    skipped := array(
      select case when r.cmd is null
             then coalesce(sum(c_last[c] - c_first[c] + 1) filter (where r.cmd is not null) over (order by c), 0)
             end
        from generate_series(1, cardinality(c_now)) c
        left join (select distinct unnest(refused)) r(cmd) on r.cmd = c
       order by c);
  end if;

  insert into events
    select s_type[e_stream[i]], s_id[e_stream[i]], e_sequence[i], e_type[i], e_version[i], e_payload[i],
           c_metadata[s_cmd[e_stream[i]]], base + i - coalesce(skipped[s_cmd[e_stream[i]]], 0), at
      from generate_series(1, cardinality(e_stream)) i
     where skipped is null or skipped[s_cmd[e_stream[i]]] is not null;

  if cardinality(i_cmd) > 0 then
    insert into idempotency_keys
      select i_scope[i], i_key[i], i_fingerprint[i],
             base + c_first[i_cmd[i]] - coalesce(skipped[i_cmd[i]], 0),
             base + c_last[i_cmd[i]] - coalesce(skipped[i_cmd[i]], 0), at
        from generate_series(1, cardinality(i_cmd)) i
       where skipped is null or skipped[i_cmd[i]] is not null;
  end if;

  if cardinality(k_cmd) > 0 then
    insert into vault.subject_keys (subject, wrapped, created_at)
      select k_subject[i], k_wrapped[i], at
        from generate_series(1, cardinality(k_cmd)) i
       where skipped is null or skipped[k_cmd[i]] is not null;
  end if;
end $$;

-- Forgets keys recorded before a moment, a bounded number at a time; answers how many.
create function forget_idempotency_keys(before timestamptz) returns bigint
language sql volatile security definer set search_path = public, pg_temp as $$
  with forgotten as (
    delete from idempotency_keys k
     using (select scope, key from idempotency_keys where recorded_at < before limit 10000) old
     where k.scope = old.scope and k.key = old.key
    returning 1)
  select count(*) from forgotten
$$;

revoke execute on function append, forget_idempotency_keys from public;

-- The role the server works as: it may read the log and call the functions above, nothing else.
-- A managed database may forbid making roles; then the triggers alone guard the log.
do $$
begin
  create role jari_app nologin;
exception
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise notice 'the role jari_app could not be made: the log is guarded by its triggers only';
end $$;

do $$
begin
  if exists (select from pg_roles where rolname = 'jari_app') then
    grant usage on schema public to jari_app;
    grant select on events, idempotency_keys to jari_app;
    grant execute on function append, forget_idempotency_keys to jari_app;
    begin
      grant jari_app to current_user;
    exception when others then
      raise notice 'this role may not become jari_app: %', sqlerrm;
    end;
  end if;
end $$;
