//! Sordino captures music practice for an app's recognizer and, only where the person has consented,
//! turns short moments of it into anonymous, encrypted samples for the app's QA engineers and
//! researchers.
//!
//! The promise: **nothing leaves the device without consent, nothing that leaves it can be tied to a
//! person, and only the holder of the QA key can hear it.**
//!
//! # Getting started
//!
//! [`Sordino`] is the engine.
//!
//! 1. [`Sordino::open`] it on a folder and [`Sordino::install_plan`] the organization's signed plan.
//! 2. Show the person a [`consent::Notice`] and record the response with [`Sordino::give_consent`].
//! 3. [`Sordino::listen`] to a [`capture::Source`]; the app's recognizer receives each frame.
//! 4. [`Sordino::mark`] moments that the recognizer got wrong.
//! 5. Upload what is due: with the built-in client by `Sordino::upload`, or over the app's own HTTP by
//!    [`Sordino::next_upload_task`] and [`Sordino::process_upload_result`].
//!
//! [`Sordino::withdraw`] withdraws consent and deletes the samples, on the device and at the collector.
//!
//! # Pipeline
//!
//! Each stage is a module, in this order, and takes the type that only the stage before can make:
//!
//! | stage | input | output |
//! | --- | --- | --- |
//! | [`plan`] | the organization's signed JSON | [`plan::Plan`] |
//! | [`capture`] | a microphone, the app's frames, a file | [`capture::Frame`] |
//! | [`sampler`] | frames and marks | [`sampler::RawClip`], in memory only |
//! | [`anonymize`] | a raw clip | [`anonymize::AnonymousClip`] |
//! | [`consent`] | a person's response | [`consent::Grants`] |
//! | [`seal`] | an anonymous clip and grants | [`seal::SealedSample`] |
//! | [`outbox`] | a sealed sample and grants | a durable queue of ciphertext |
//! | [`upload`] | the queue and grants | HTTP requests; their results |
//!
//! # What it does not do
//!
//! Sordino never writes raw audio to disk, serializes or clones a raw clip, seals or uploads without a
//! valid grant, infers consent from a damaged record, or records a name, a device, a place or a time
//! finer than a week. A device cannot open what it has sealed. When in doubt, it withholds a clip.
//!
//! # Crate features
//!
//! * `microphone` (default): microphone input, through cpal.
//! * `http` (default): the built-in upload client, through ureq and rustls.
//! * `research`: opening sealed samples, for the reader's tools. Never enabled on a device.
//!
//! Disable the default features if the app brings its own audio input and HTTP client.

pub mod anonymize;
pub mod capture;
pub mod consent;
mod endpoint;
mod engine;
mod error;
mod files;
mod hex;
mod id;
#[cfg(feature = "research")]
pub mod open;
pub mod outbox;
pub mod plan;
mod process;
mod purpose;
mod rng;
pub mod sampler;
pub mod seal;
pub mod signed;
mod state;
// For the modules of src/testing.rs that other packages share.
#[cfg(test)]
extern crate self as sordino;
#[cfg(test)]
mod testing;
pub mod text;
pub mod upload;
mod week;

pub use engine::{
    CaptureSession, Config, Event, Preview, PreviewSound, Sordino, Status, SubmitOutcome,
    UploadSummary, Withdrawal, WithheldReason,
};
pub use error::Error;
pub use id::{Id, ParseIdError};
pub use process::{Forked, OwnerProcess};
pub use purpose::{ParsePurposeError, Purpose, Purposes};
pub use rng::RngError;
pub use state::{Clock, StateError, SystemClock};
pub use week::{ParseWeekError, Week};
