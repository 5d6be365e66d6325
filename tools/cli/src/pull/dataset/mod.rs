//! The description of a dataset's samples, the same in every layout: rows, notes in the time of the stored sound,
//! splits, and the card.

mod card;
mod jams;
mod loading;
mod parquet;
mod row;
pub(crate) mod stored;

pub(super) use card::card;
pub(super) use jams::jams;
pub(super) use loading::in_showing_order;
pub(super) use parquet::index_parquet;
pub(super) use row::{Row, flat};
