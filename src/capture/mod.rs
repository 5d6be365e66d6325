//! Capture.

mod frame;

pub use frame::Frame;
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct CaptureError;
#[derive(Debug,Clone,PartialEq)]
pub struct CaptureEvent;
