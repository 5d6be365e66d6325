//! Sordino captures music practice for an app's recogniser.

pub mod anonymize;
pub mod capture;
pub mod consent;
mod entropy;
mod id;
pub mod plan;
mod purpose;
pub mod sampler;
pub mod seal;
pub mod signed;
mod week;

pub use entropy::Unavailable;
pub use id::{Id, NotAnId};
pub use purpose::{Purpose, Purposes, UnknownPurpose};
pub use week::{NotAWeek, Week};
