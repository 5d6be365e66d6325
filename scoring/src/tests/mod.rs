//! Comparisons with other implementations.

mod mir_eval;
pub(crate) mod reference;
