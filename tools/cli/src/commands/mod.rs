//! A file for each command or family of commands, with its arguments.

mod annotation;
pub(crate) mod anonymize;
pub(crate) mod capture;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod keygen;
pub(crate) mod plan;
mod receipt;
pub(crate) mod report;
pub(crate) mod seal;

pub(crate) use annotation::read_annotation;
pub(crate) use consent::unnamed_notice;
pub(crate) use plan::{example as example_plan, new_key, read as read_plan};
pub(crate) use report::view as sample_view;
