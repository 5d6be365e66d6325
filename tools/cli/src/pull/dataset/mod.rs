//! What a dataset says of its samples, whatever its layout: a row each, notes in the time of the
//! stored sound, which split a person's samples are in, and the card.

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
