//! demo
use std::path::Path;
use crate::{failure::Failure, reply::Reply};
pub(crate) fn run(_: &Path, _: &Path, _: bool) -> Result<Reply, Failure> { Reply::new("", 0) }
