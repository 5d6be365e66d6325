//! The process that opened an engine, as opposed to a process forked from it.

use std::process;

use sordino::Forked;

#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnerProcess(u32);

impl OwnerProcess {
    pub(crate) fn current() -> Self {
        Self(process::id())
    }

    /// # Errors
    /// This is another process.
    pub(crate) fn check(self) -> Result<(), Forked> {
        match self.0 == process::id() {
            true => Ok(()),
            false => Err(Forked),
        }
    }
}
