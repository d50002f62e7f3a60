//! One description of a database serves both drivers, and every test gets a database of its own.

use jari::postgres::{Connect, ConnectError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio_postgres::NoTls;

use crate::support::database::{client, fresh};

#[tokio::test]
async fn a_url_is_understood_by_both_drivers_and_by_ourselves() {
    let database = fresh().await;
    let url = database.url();
    let (asked, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let name: String = asked
        .query_one("select current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(name, database.owner().database());

    let options: PgConnectOptions = url.parse().unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let seen: String = sqlx::query_scalar("select current_database()::text")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(seen, name);
    let pool = database.pool().await;
    let seen: String = sqlx::query_scalar("select current_database()::text")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(seen, name);
    pool.close().await;

    let ours = url.parse::<tokio_postgres::Config>().unwrap();
    assert_eq!(ours.get_hosts(), database.tokio_postgres_config().get_hosts());
    assert_eq!(options.get_socket(), database.sqlx_options().get_socket());
    assert_eq!(url.parse::<Connect>().unwrap(), database.owner());
}

#[tokio::test]
async fn settings_reach_the_session_through_both_drivers() {
    let connect = fresh().await;
    let connect = connect.owner().with_setting("search_path", "read_models,public");
    let connect = connect.with_setting("application_name", r"two words\and more");
    for connect in [connect.clone(), connect.url().parse().unwrap()] {
        let shown: String = client(&connect)
            .await
            .query_one("show search_path", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(shown, "read_models,public");
        let mut connection = PgConnection::connect_with(&connect.sqlx()).await.unwrap();
        let shown: String = sqlx::query_scalar("show search_path")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(shown, "read_models,public");
    }
}

#[test]
fn a_url_is_taken_with_its_parts_or_refused_with_the_reason() {
    let connect: Connect = "postgres://al%20ice:s%40fe@db.example:6432/jari".parse().unwrap();
    assert_eq!(
        connect.url(),
        "postgres://al%20ice:s%40fe@db.example:6432/jari?sslmode=disable"
    );
    assert!(
        !format!("{connect:?}").contains("s@fe"),
        "a password is never shown"
    );
    let connect: Connect = "postgres://alice@[::1]/?sslmode=prefer".parse().unwrap();
    assert_eq!(connect.url(), "postgres://alice@[::1]:5432/alice?sslmode=disable");
    assert!(connect.prefers_encryption(), "so that a warning can be given");
    let connect: Connect = "host=/run/postgresql user=alice dbname=jari".parse().unwrap();
    assert_eq!(
        connect.url(),
        "postgres://alice@%2Frun%2Fpostgresql:5432/jari?sslmode=disable"
    );

    let refusal = |url: &str| url.parse::<Connect>().unwrap_err();
    assert!(matches!(
        refusal("postgres://a@h/d?sslmode=require"),
        ConnectError::Encrypted
    ));
    assert!(matches!(
        refusal("postgres://a@h/d?sslmode=verify-full"),
        ConnectError::Encrypted
    ));
    assert!(matches!(
        refusal("host=h user=a sslmode=require"),
        ConnectError::Encrypted
    ));
    let secret: Result<Connect, _> = "postgres://a:sslmode=require@h/d".parse();
    assert!(secret.is_ok(), "a password may say what it likes");
    assert!(matches!(refusal("postgres://a@h1,h2/d"), ConnectError::Hosts));
    assert!(matches!(refusal("postgres:///d?user=a"), ConnectError::Hosts));
    assert!(matches!(refusal("postgres://h/d"), ConnectError::User));
    for url in [
        "",
        "mysql://a@h/d",
        "postgres://a:secret@h:port/d",
        "postgres://a:secret@h/d?options=--x",
    ] {
        let error = refusal(url);
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own_that_goes_with_it() {
    let (one, other) = tokio::join!(fresh(), fresh());
    one.client()
        .await
        .batch_execute("create table only_here ()")
        .await
        .unwrap();
    let there = "select count(*) from pg_tables where tablename = 'only_here'";
    assert_eq!(
        other
            .client()
            .await
            .query_one(there, &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );

    let name = one.owner().database().to_owned();
    drop(one);
    let known = "select count(*) from pg_database where datname = $1";
    assert_eq!(
        other
            .client()
            .await
            .query_one(known, &[&name])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
}
