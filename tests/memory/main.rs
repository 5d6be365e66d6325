//! Memory. One program, with an allocator that checks it: threads that may not allocate do not, and
//! freed memory contains no audio.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

mod consented;
mod realtime;
mod wiped;

thread_local! {
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator; it ends the process if a thread that must not allocate does.
struct Watched;

#[global_allocator]
static ALLOCATOR: Watched = Watched;

#[allow(unsafe_code)] // An allocator cannot be written without; it hands all on to the system's.
// SAFETY: every call is passed unchanged to `System`; reading before that is within the block.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check();
        // Zeroed, so that what is found later was written, and no byte is read unwritten.
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        check();
        if layout.align() >= align_of::<f32>() {
            let words = pointer.cast::<u32>();
            for index in 0..layout.size() / size_of::<u32>() {
                // SAFETY: aligned, within the block, and written at least with zeros.
                wiped::found(unsafe { words.add(index).read_volatile() });
            }
        }
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn check() {
    if FORBIDDEN.try_with(Cell::get) == Ok(true) {
        std::process::abort();
    }
}

/// Ends the process where `work` allocates or frees.
fn without_allocating<T>(work: impl FnOnce() -> T) -> T {
    FORBIDDEN.set(true);
    let result = work();
    FORBIDDEN.set(false);
    result
}
