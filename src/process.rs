//! Values that belong to the process that created them, and not to a forked one.
//!
//! A forked process has a copy of all memory, and one thread: the engine's threads are not in it, a
//! lock that another thread held stays locked, and its file descriptors share the parent's locks on
//! files. So nothing of an engine may be used there, not even to drop it.

use std::{mem, process};

/// The engine was opened by the process that this one was forked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the engine belongs to the process that this one was forked from; use it there, or open one here on a \
     folder of its own"
)]
pub struct Forked;

/// The process that created a value, for bindings that must not touch their own locks in a forked process.
#[derive(Clone, Copy, Debug)]
pub struct OwnerProcess(u32);

impl OwnerProcess {
    /// This process.
    pub fn current() -> Self {
        Self(process::id())
    }

    /// # Errors
    /// This is another process.
    pub fn check(self) -> Result<(), Forked> {
        if self.0 == process::id() {
            Ok(())
        } else {
            Err(Forked)
        }
    }
}

/// A value that only the process that created it uses and drops; another process leaves it
/// untouched.
#[derive(Clone)]
pub(crate) struct ProcessOwned<T> {
    /// `None` only while being dropped.
    value: Option<T>,
    owner: OwnerProcess,
}

impl<T> ProcessOwned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Some(value),
            owner: OwnerProcess::current(),
        }
    }

    /// # Errors
    /// This is not the process that created it.
    pub(crate) fn get(&self) -> Result<&T, Forked> {
        self.owner.check()?;
        self.value.as_ref().ok_or(Forked)
    }

    /// # Errors
    /// As [`Self::get`].
    pub(crate) fn get_mut(&mut self) -> Result<&mut T, Forked> {
        self.owner.check()?;
        self.value.as_mut().ok_or(Forked)
    }
}

impl<T> Drop for ProcessOwned<T> {
    fn drop(&mut self) {
        if self.owner.check().is_err() {
            mem::forget(self.value.take());
        }
    }
}
