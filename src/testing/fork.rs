//! Forks, for tests. The child has one thread, as a forked child has, and ends without a word to the test harness.
#![allow(unsafe_code)] // std has no fork.

use std::{
    ffi::c_int,
    panic::{AssertUnwindSafe, catch_unwind},
};

unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(child: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

/// Runs `work` in a child that is forked here, and waits for it. What it changes in memory stays there.
pub(crate) fn in_child(work: impl FnOnce()) {
    // SAFETY: the child calls nothing but `work`, and ends before it could return into the harness.
    let child = unsafe { fork() };
    assert!(child >= 0, "it was to be forked");
    if child == 0 {
        let is_well = catch_unwind(AssertUnwindSafe(work)).is_ok();
        // SAFETY: it takes a plain number.
        unsafe { _exit(c_int::from(!is_well)) }
    }
    let mut status = 0;
    // SAFETY: the child is this process's own, and `status` is written.
    let waited = unsafe { waitpid(child, &raw mut status, 0) };
    assert_eq!((waited, status), (child, 0), "what the child was to see");
}
