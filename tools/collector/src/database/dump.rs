//! Converts the rows of any table to JSON and back.

use futures_util::TryStreamExt as _;
use serde_json::Value;
use sqlx::{
    AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _,
    any::{AnyRow, AnyTypeInfoKind},
};

use super::{DatabaseError, Session, schema::Table};

impl Session {
    /// Passes each row of a table to `each`, ordered by the first column.
    pub(crate) async fn dump<E: From<DatabaseError>>(
        &mut self,
        table: &Table,
        mut each: impl FnMut(Vec<Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns = quoted(&table.columns);
        let statement = format!("SELECT {columns} FROM \"{}\" ORDER BY 1", table.name);
        let mut rows = sqlx::query(AssertSqlSafe(statement)).fetch(&mut *self.0);
        while let Some(row) = rows.try_next().await.map_err(DatabaseError::from)? {
            let values = (0..table.columns.len()).map(|place| value(&row, place));
            each(values.collect::<Result<_, _>>()?)?;
        }
        Ok(())
    }

    /// Inserts a row that `dump` returned.
    pub(crate) async fn insert_row(
        &mut self,
        table: &Table,
        values: &[Value],
    ) -> Result<(), DatabaseError> {
        // A bound NULL would need a type.
        let mut bound = 0;
        let places = values.iter().map(|value| {
            if value.is_null() {
                return "NULL".to_owned();
            }
            bound += 1;
            format!("${bound}")
        });
        let statement = format!(
            "INSERT INTO \"{}\" ({}) VALUES ({})",
            table.name,
            quoted(&table.columns),
            places.collect::<Vec<_>>().join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for value in values {
            query = match value {
                Value::Null => query,
                Value::String(text) => query.bind(text.clone()),
                Value::Number(number) => query.bind(number.as_i64().ok_or(UNSUPPORTED)?),
                _ => return Err(UNSUPPORTED),
            };
        }
        query.execute(&mut *self.0).await?;
        Ok(())
    }

    /// Whether a table has no row.
    pub(crate) async fn is_empty(&mut self, table: &Table) -> Result<bool, DatabaseError> {
        let statement = format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name);
        let row = sqlx::query(AssertSqlSafe(statement))
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(row.is_none())
    }
}

const UNSUPPORTED: DatabaseError = DatabaseError::Corrupt("a backup");

fn quoted(columns: &[String]) -> String {
    let quoted = columns.iter().map(|column| format!("\"{column}\""));
    quoted.collect::<Vec<_>>().join(", ")
}

fn value(row: &AnyRow, place: usize) -> Result<Value, DatabaseError> {
    let raw = row.try_get_raw(place)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let info = raw.type_info();
    Ok(match info.kind() {
        AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
            row.try_get::<i64, _>(place)?.into()
        }
        AnyTypeInfoKind::Text => row.try_get::<String, _>(place)?.into(),
        _ => {
            tracing::error!("unsupported column type {}", info.name());
            return Err(UNSUPPORTED);
        }
    })
}
