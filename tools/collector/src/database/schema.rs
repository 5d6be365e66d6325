//! The list of tables, read from the database itself, so that backups are complete.

use std::collections::BTreeMap;

use super::{Database, DatabaseError, Session, System};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// Whether its column `sequence` is auto-incremented.
    pub(crate) is_numbered: bool,
}

impl Database {
    /// All tables, each after those that it references. Excluded are migrations and epoch, which belong to one
    /// database, and the tree of the access log, which is derived from its entries.
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

    /// The last sequence number of a table.
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

    /// Sets the last sequence number of a table.
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

/// The statements of one system. Names in PostgreSQL's catalog must be cast to text.
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
        // No migration creates cyclic references.
        let next = next.ok_or(DatabaseError::Corrupt("the schema"))?;
        ordered.extend(waiting.remove(&next).map(|(table, _)| table));
    }
    Ok(ordered)
}
