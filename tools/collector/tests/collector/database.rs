//! The database of the tests: SQLite, or PostgreSQL with `SORDINO_TEST_DATABASE=postgres`.
//! Both must behave the same, so all tests run on both.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex},
};

use crate::services::Postgres;

/// Whether tests of SQLite's file must be skipped.
pub(crate) fn is_postgres() -> bool {
    std::env::var("SORDINO_TEST_DATABASE").is_ok_and(|name| name == "postgres")
}

/// The URL of the database for a data folder; `None` for the file in it.
pub(crate) fn database_of(data: &Path) -> Option<String> {
    static SERVER: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start_unsynced);
    static DATABASES: LazyLock<Mutex<HashMap<PathBuf, String>>> = LazyLock::new(Mutex::default);
    if !is_postgres() {
        return None;
    }
    let server = SERVER.as_ref().expect("PostgreSQL was asked for");
    let mut databases = DATABASES.lock().unwrap();
    let database = databases
        .entry(data.to_owned())
        .or_insert_with(|| server.database());
    Some(database.clone())
}
