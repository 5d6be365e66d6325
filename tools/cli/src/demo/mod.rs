//! demo
use crate::{failure::Failure, reply::Reply};
use std::path::Path;
pub(crate) fn run(_: &Path, _: &Path, _: bool) -> Result<Reply, Failure> {
    Reply::new("", 0)
}
