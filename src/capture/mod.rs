//! Capture.

mod frame;

pub use frame::Frame;
