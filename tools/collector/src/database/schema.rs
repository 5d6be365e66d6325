//! What tables there are, read from the database itself, so that a backup forgets none.

use std::collections::BTreeMap;

use super::{Database, DatabaseError, Session, System};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// Whether its `sequence` gives numbers that are never given again.
    pub(crate) is_numbered: bool,
}

impl Database {
    /// All tables but those that belong to this very database, migrations and epoch, and the tree of the access log,
    /// which its entries make; each after those that it refers to.
    pub(crate) async fn tables(&self, session: &mut Session) -> Result<Vec<Table>, DatabaseError> {
        let statements = match self.system {
            System::Sqlite => &SQLITE,
            System::Postgres => &POSTGRES,
        };
        let names: Vec<(String,)> = sqlx::query_as(statements.tables)
            .fetch_all(&mut *session.0)
            .await?;
        let mut waiting = BTreeMap::new();
        for (name,) in names {
            let columns: Vec<(String, i64)> = sqlx::query_as(statements.columns)
                .bind(&name)
                .fetch_all(&mut *session.0)
                .await?;
            let parents: Vec<(String,)> = sqlx::query_as(statements.parents)
                .bind(&name)
                .fetch_all(&mut *session.0)
                .await?;
            let table = Table {
                name: name.clone(),
                is_numbered: columns.iter().any(|(_, counts)| *counts != 0),
                columns: columns.into_iter().map(|(column, _)| column).collect(),
            };
            let parents: Vec<String> = parents.into_iter().map(|(parent,)| parent).collect();
            waiting.insert(name, (table, parents));
        }
        dependency_order(waiting)
    }

    /// The last number that a counting table gave.
    pub(crate) async fn counter(
        &self,
        session: &mut Session,
        table: &Table,
    ) -> Result<i64, DatabaseError> {
        let statement = match self.system {
            System::Sqlite => "SELECT seq FROM sqlite_sequence WHERE name = $1",
            System::Postgres => {
                "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence($1, 'sequence') AS regclass))"
            }
        };
        let last: Option<Option<i64>> = sqlx::query_scalar(statement)
            .bind(&table.name)
            .fetch_optional(&mut *session.0)
            .await?;
        Ok(last.flatten().unwrap_or(0))
    }

    /// Has a counting table go on after `last`.
    pub(crate) async fn set_counter(
        &self,
        session: &mut Session,
        table: &Table,
        last: i64,
    ) -> Result<(), DatabaseError> {
        let statements: &[&'static str] = match self.system {
            System::Sqlite => &[
                "DELETE FROM sqlite_sequence WHERE name = $1 AND $2 > 0",
                "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)",
            ],
            System::Postgres => {
                &["SELECT setval(CAST(pg_get_serial_sequence($1, 'sequence') AS regclass), $2)"]
            }
        };
        for statement in statements {
            sqlx::query(*statement)
                .bind(&table.name)
                .bind(last)
                .execute(&mut *session.0)
                .await?;
        }
        Ok(())
    }
}

impl Session {
    /// The number of the last migration.
    pub(crate) async fn schema(&mut self) -> Result<i64, DatabaseError> {
        let last = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations");
        Ok(last.fetch_one(&mut *self.0).await?)
    }
}

/// The statements of one system. A name of PostgreSQL's catalog is text only when it is made so.
struct Statements {
    tables: &'static str,
    columns: &'static str,
    parents: &'static str,
}

const SQLITE: Statements = Statements {
    tables: "SELECT name FROM sqlite_schema WHERE type = 'table'
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             AND name NOT IN ('_sqlx_migrations', 'epoch', 'access_tree')",
    columns:
        "SELECT columns.name, columns.name = 'sequence' AND sqlite_schema.sql LIKE '%AUTOINCREMENT%'
              FROM sqlite_schema JOIN pragma_table_info(sqlite_schema.name) AS columns
              WHERE sqlite_schema.name = $1 ORDER BY columns.cid",
    parents: "SELECT \"table\" FROM pragma_foreign_key_list($1)",
};

const POSTGRES: Statements = Statements {
    tables: "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
             AND table_name NOT IN ('_sqlx_migrations', 'epoch', 'access_tree')",
    columns: "SELECT CAST(column_name AS TEXT),
                     CAST(CASE is_identity WHEN 'YES' THEN 1 ELSE 0 END AS BIGINT)
              FROM information_schema.columns
              WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
    parents: "SELECT CAST(parent.relname AS TEXT) FROM pg_constraint
              JOIN pg_class AS child ON child.oid = conrelid
              JOIN pg_class AS parent ON parent.oid = confrelid
              JOIN pg_namespace AS place ON place.oid = child.relnamespace
              WHERE contype = 'f' AND place.nspname = current_schema() AND child.relname = $1",
};

fn dependency_order(
    mut waiting: BTreeMap<String, (Table, Vec<String>)>,
) -> Result<Vec<Table>, DatabaseError> {
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let is_free = |parents: &[String], own: &String| {
            !parents
                .iter()
                .any(|parent| parent != own && waiting.contains_key(parent))
        };
        let next = waiting
            .iter()
            .find(|(name, (_, parents))| is_free(parents, name))
            .map(|(name, _)| name.clone());
        // No migration has tables refer to each other in a ring.
        let next = next.ok_or(DatabaseError::Corrupt("the schema"))?;
        ordered.extend(waiting.remove(&next).map(|(table, _)| table));
    }
    Ok(ordered)
}
