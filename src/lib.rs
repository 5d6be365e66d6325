//! Sordino captures music practice for an app's recognizer and, only where the person has consented,
//! turns short moments of it into anonymous, encrypted samples.
//!
//! The promise: **nothing that is not consented leaves the device, nothing that leaves it can be tied
//! to a person, and nobody but the holder of the QA key can hear it.**
//!
//! # Where to begin
//!
//! [`Sordino`] is the engine: [`Sordino::open`] it on a folder, show the person a
//! [`consent::Notice`] and record the answer by [`Sordino::give_consent`], [`Sordino::listen`] to a
//! [`capture::Source`], [`Sordino::mark`] what the recognizer got wrong, and send what is due, either
//! by [`Sordino::next_upload_task`] and [`Sordino::process_upload_result`] over the app's own HTTP or by
//! `Sordino::upload`. [`Sordino::withdraw`] takes it all back.
//!
//! # The way of the sound
//!
//! Each stage is a module, in this order, and takes the type that only the stage before can make:
//!
//! | stage | takes | makes |
//! | --- | --- | --- |
//! | [`plan`] | the organization's signed JSON | [`plan::Plan`] |
//! | [`capture`] | a microphone, the app's frames, a file | [`capture::Frame`] |
//! | [`sampler`] | frames and marks | [`sampler::RawClip`], in memory only |
//! | [`anonymize`] | a raw clip | [`anonymize::AnonymousClip`] |
//! | [`consent`] | a person's answer | [`consent::Grants`] |
//! | [`seal`] | an anonymous clip, and grants | [`seal::SealedSample`] |
//! | [`outbox`] | a sealed sample, and grants | a durable queue of ciphertext |
//! | [`upload`] | the queue, and grants | requests, and what came of them |
//!
//! # What it refuses to do
//!
//! It does not write raw sound to disk, serialize or clone a raw clip, seal or send without a
//! standing grant, guess consent from a damaged record, open what it sealed (the desk does, by the
//! feature `research`), or name a person, a device, a place or a time finer than a week. When in
//! doubt, it withholds.
//!
//! # Features
//!
//! * `microphone` (default): the machine's microphone, through cpal.
//! * `http` (default): the built-in upload client, through ureq and rustls.
//! * `research`: opening sealed samples, for the desk and for researchers in Python. A device never has it.

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
pub use process::Forked;
pub use purpose::{ParsePurposeError, Purpose, Purposes};
pub use rng::RngError;
pub use state::{Clock, StateError, SystemClock};
pub use week::{ParseWeekError, Week};
