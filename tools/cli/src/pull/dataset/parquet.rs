//! `index.parquet`: the rows as one table with typed, nested columns
//! (<https://parquet.apache.org/docs/file-format/nestedencoding/>).

use std::sync::Arc;

use parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use serde_json::Value;

use super::row::{COLUMNS, Column, Kind, Row};
use crate::{
    error::CliError,
    pull::{entry::Entry, format::DatasetFormat},
};

/// The number of rows in a group, which bounds the memory of a reader.
const ROWS_A_GROUP: usize = 10_000;

/// The whole file.
pub(in crate::pull) fn index_parquet<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    format: DatasetFormat,
) -> Result<Vec<u8>, CliError> {
    let mut entries = entries.peekable();
    let written = (|| {
        let schema = Arc::new(parse_message_type(&schema())?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let mut bytes = Vec::new();
        let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
        while entries.peek().is_some() {
            let mut leaves: Vec<Leaf> = Vec::new();
            COLUMNS
                .iter()
                .for_each(|(_, kind)| make_leaves(kind, &mut leaves));
            for entry in entries.by_ref().take(ROWS_A_GROUP) {
                let row = serde_json::to_value(Row::new(entry, format))
                    .map_err(|error| ParquetError::External(Box::new(error)))?;
                shred_record(COLUMNS, &row, Place::default(), &mut leaves);
            }
            write_group(&mut file, &leaves)?;
        }
        file.close()?;
        Ok::<_, ParquetError>(bytes)
    })();
    written.map_err(|error| CliError::Message(format!("the table index.parquet: {error}")))
}

fn write_group(
    file: &mut SerializedFileWriter<&mut Vec<u8>>,
    leaves: &[Leaf],
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for leaf in leaves {
        let Some(mut column) = group.next_column()? else {
            break;
        };
        let (defined, repeated) = (Some(&leaf.defined[..]), Some(&leaf.repeated[..]));
        match &leaf.values {
            Values::Text(values) => column
                .typed::<ByteArrayType>()
                .write_batch(values, defined, repeated)?,
            Values::Whole(values) => column
                .typed::<Int64Type>()
                .write_batch(values, defined, repeated)?,
            Values::Real(values) => column
                .typed::<DoubleType>()
                .write_batch(values, defined, repeated)?,
            Values::Flag(values) => column
                .typed::<BoolType>()
                .write_batch(values, defined, repeated)?,
        };
        column.close()?;
    }
    group.close()?;
    Ok(())
}

/// The schema in Parquet's own notation.
fn schema() -> String {
    let columns: String = COLUMNS.iter().map(column_schema).collect();
    format!("message samples {{ {columns} }}")
}

fn column_schema((name, kind): &Column) -> String {
    field_schema(name, kind)
}

fn field_schema(name: &str, kind: &Kind) -> String {
    match kind {
        Kind::Text => format!("optional binary {name} (STRING); "),
        Kind::Whole => format!("optional int64 {name}; "),
        Kind::Real => format!("optional double {name}; "),
        Kind::Flag => format!("optional boolean {name}; "),
        Kind::List(element) => format!(
            "optional group {name} (LIST) {{ repeated group list {{ {} }} }} ",
            field_schema("element", element)
        ),
        Kind::Record(fields) => format!(
            "optional group {name} {{ {} }} ",
            fields.iter().map(column_schema).collect::<String>()
        ),
    }
}

/// A column of plain values with their positions in the nesting.
struct Leaf {
    values: Values,
    defined: Vec<i16>,
    repeated: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
}

/// A position in the nesting: the number of levels that are present above a value, the list at which it continues, and
/// the number of lists around it.
#[derive(Clone, Copy, Default)]
struct Place {
    defined: i16,
    repeated: i16,
    lists: i16,
}

fn make_leaves(kind: &Kind, leaves: &mut Vec<Leaf>) {
    let values = match kind {
        Kind::Text => Values::Text(Vec::new()),
        Kind::Whole => Values::Whole(Vec::new()),
        Kind::Real => Values::Real(Vec::new()),
        Kind::Flag => Values::Flag(Vec::new()),
        Kind::List(element) => return make_leaves(element, leaves),
        Kind::Record(fields) => {
            return fields
                .iter()
                .for_each(|(_, kind)| make_leaves(kind, leaves));
        }
    };
    leaves.push(Leaf {
        values,
        defined: Vec::new(),
        repeated: Vec::new(),
    });
}

fn count_leaves(kind: &Kind) -> usize {
    match kind {
        Kind::List(element) => count_leaves(element),
        Kind::Record(fields) => fields.iter().map(|(_, kind)| count_leaves(kind)).sum(),
        _ => 1,
    }
}

/// Appends the members of `value` to `leaves`, which correspond to `fields`.
fn shred_record(fields: &[Column], value: &Value, place: Place, mut leaves: &mut [Leaf]) {
    for (name, kind) in fields {
        let (own, rest) = leaves.split_at_mut(count_leaves(kind));
        shred(kind, value.get(name).unwrap_or(&Value::Null), place, own);
        leaves = rest;
    }
}

fn shred(kind: &Kind, value: &Value, place: Place, leaves: &mut [Leaf]) {
    let inside = Place {
        defined: place.defined + 1,
        ..place
    };
    match (kind, value) {
        (Kind::Record(fields), Value::Object(_)) => shred_record(fields, value, inside, leaves),
        (Kind::List(element), Value::Array(items)) => {
            if items.is_empty() {
                return nothing(inside, leaves);
            }
            for (number, item) in items.iter().enumerate() {
                let repeated = match number {
                    0 => place.repeated,
                    _ => place.lists + 1,
                };
                let place = Place {
                    defined: inside.defined + 1,
                    repeated,
                    lists: place.lists + 1,
                };
                shred(element, item, place, leaves);
            }
        }
        (Kind::Record(_) | Kind::List(_), _) => nothing(place, leaves),
        _ => {
            for leaf in leaves {
                let is_there = leaf.values.take(value);
                leaf.mark(if is_there { inside } else { place });
            }
        }
    }
}

/// Records that there is no value at `place`.
fn nothing(place: Place, leaves: &mut [Leaf]) {
    for leaf in leaves {
        leaf.mark(place);
    }
}

impl Leaf {
    fn mark(&mut self, place: Place) {
        self.defined.push(place.defined);
        self.repeated.push(place.repeated);
    }
}

impl Values {
    /// Records a value if it is of one of these types, and returns whether it is.
    fn take(&mut self, value: &Value) -> bool {
        match self {
            Self::Text(values) => value.as_str().map(|text| values.push(text.into())),
            Self::Whole(values) => value.as_i64().map(|whole| values.push(whole)),
            Self::Real(values) => value.as_f64().map(|real| values.push(real)),
            Self::Flag(values) => value.as_bool().map(|flag| values.push(flag)),
        }
        .is_some()
    }
}
