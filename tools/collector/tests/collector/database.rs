//! The database that the tests run on: SQLite, or PostgreSQL where `SORDINO_TEST_DATABASE=postgres`.
//! What is said of one must hold of the other, so that all tests run on both.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex},
};

use crate::services::Postgres;

/// Whether a test of SQLite's file has nothing to look at.
pub(crate) fn is_postgres() -> bool {
    std::env::var("SORDINO_TEST_DATABASE").is_ok_and(|name| name == "postgres")
}

/// The URL of the database that belongs to a data folder; `None` for the file in it.
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
