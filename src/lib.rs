//! Sordino captures music practice for an app's recogniser.

pub mod anonymize;
pub mod capture;
pub mod consent;
mod engine;
mod entropy;
mod error;
mod id;
pub mod outbox;
pub mod plan;
mod purpose;
pub mod sampler;
pub mod seal;
pub mod signed;
mod state;
#[cfg(test)]
mod testing;
pub mod upload;
mod week;

pub use engine::{
    Config, Event, Listening, Offer, Sordino, Status, UploadSummary, Withdrawal, Withheld,
};
pub use entropy::Unavailable;
pub use error::Error;
pub use id::{Id, NotAnId};
pub use purpose::{Purpose, Purposes, UnknownPurpose};
pub use state::{Clock, StateError, SystemClock};
pub use week::{NotAWeek, Week};
