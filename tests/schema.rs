//! The schema is a contract: other programs read it, stock postgres-es writes it. A change of it is a decision.

use crate::support;

/// Every table with its columns, index, constraint, trigger, function and privilege that Jari makes, one line each.
const DESCRIBE: &str = "
with ours as (select oid, nspname from pg_namespace where nspname in ('public', 'read_models', 'shadow', 'vault'))
select line from (
  select 1, n.nspname, c.relname, a.attnum::int,
         format('column %I.%I.%I %s%s%s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                case when a.attnotnull then ' not null' else '' end,
                case when d.adbin is null then '' else ' = ' || pg_get_expr(d.adbin, d.adrelid) end)
    from pg_class c join ours n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relkind in ('r', 'p') and c.relname <> '_sqlx_migrations'
  union all
  select 2, n.nspname, t.relname, 0, pg_get_indexdef(i.indexrelid)
    from pg_index i join pg_class t on t.oid = i.indrelid join ours n on n.oid = t.relnamespace
   where t.relname <> '_sqlx_migrations'
  union all
  select 3, n.nspname, t.relname, 0, format('constraint on %I.%I: %s', n.nspname, t.relname, pg_get_constraintdef(c.oid))
    from pg_constraint c join pg_class t on t.oid = c.conrelid join ours n on n.oid = t.relnamespace
   where c.contype in ('c', 'f')
  union all
  select 4, n.nspname, t.relname, 0, pg_get_triggerdef(g.oid)
    from pg_trigger g join pg_class t on t.oid = g.tgrelid join ours n on n.oid = t.relnamespace
   where not g.tgisinternal
  union all
  select 5, n.nspname, p.proname, 0,
         format('function %I.%I(%s) returns %s%s', n.nspname, p.proname, pg_get_function_arguments(p.oid),
                pg_get_function_result(p.oid), case when p.prosecdef then ' security definer' else '' end)
    from pg_proc p join ours n on n.oid = p.pronamespace
  union all
  select 6, g.table_schema, g.table_name, 0,
         format('grant %s on %I.%I to jari_app', string_agg(lower(g.privilege_type), ', ' order by g.privilege_type),
                g.table_schema, g.table_name)
    from information_schema.role_table_grants g
   where g.grantee = 'jari_app' group by g.table_schema, g.table_name
) described(part, schema, name, nth, line)
order by schema, name, part, nth, line";

#[tokio::test]
async fn the_schema_is_as_agreed() {
    let database = support::database::fresh().await;
    let client = database.client().await;
    let rows = client.query(DESCRIBE, &[]).await.expect("the catalogue");
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    support::goldens::assert("schema", &lines.join("\n"));
}
