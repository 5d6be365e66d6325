//! Operations on a collector's data other than serving requests. A collector may be running, except for [`restore`].
//!
//! [`restore`]: backup::restore

pub(crate) mod backup;
pub(crate) mod maintenance;
pub(crate) mod plan;
pub(crate) mod quarantine;
pub(crate) mod retention;
pub(crate) mod tokens;
