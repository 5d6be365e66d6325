//! Accesses to samples.

#[cfg(not(feature = "http"))]
use sordino::upload::UploadError;
use sordino::{
    Id, Purpose, Week,
    upload::{self, UploadTask},
};

use crate::{
    engine::Engine,
    error::Error,
    upload::{Request, UploadResult},
};

/// Accesses to a sample.
#[uniffi::export]
impl Engine {
    /// The request that asks the collector which readers opened a sample; pass its result to `read_accesses`.
    ///
    /// Raises `Outbox` if there is no such sample.
    pub fn accesses_request(&self, sample: Id) -> Result<Request, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.accesses_request(sample)?.into()))
    }

    /// Reads the accesses to a sample from the result of the request of `accesses_request` with this task, and verifies
    /// the collector's proofs about its access log.
    ///
    /// Raises `Upload` if the collector did not answer, or if the request must be made again because another response
    /// was read in the meantime.
    pub fn read_accesses(&self, task: UploadTask, result: UploadResult) -> Result<Accesses, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.read_accesses(&task, result.into())?.into()))
    }

    /// Asks the collector which readers opened a sample, with the built-in client.
    ///
    /// Raises `Upload` if the collector does not answer or the library has no client, and `Outbox` if there is no
    /// such sample.
    pub fn accesses(&self, sample: Id) -> Result<Accesses, Error> {
        self.handle.with_engine(|engine| {
            #[cfg(feature = "http")]
            return Ok(engine.accesses(sample, &upload::Client::default())?.into());
            #[cfg(not(feature = "http"))]
            {
                let _ = (engine, sample);
                Err(UploadError::NoClient.into())
            }
        })
    }
}

/// One access of a reader to a sample.
#[derive(uniffi::Record)]
pub struct Access {
    /// The purpose for which it was opened.
    pub purpose: Purpose,
    /// The week in which it was opened.
    pub week: Week,
    /// The name of the reader's token.
    pub reader: String,
    /// Its number in the collector's access log; `null` if the collector keeps no chain yet.
    pub entry: Option<u64>,
    /// The entry's hash in that log, 64 hexadecimal digits; `null` likewise.
    pub hash: Option<String>,
}

impl From<upload::Access> for Access {
    fn from(access: upload::Access) -> Self {
        Self {
            purpose: access.purpose,
            week: access.week,
            reader: access.reader,
            entry: access.entry,
            hash: access.hash.map(|hash| hash.to_string()),
        }
    }
}

/// The accesses to a sample, by the collector's access log.
#[derive(uniffi::Record)]
pub struct Accesses {
    /// The accesses, oldest first.
    pub accesses: Vec<Access>,
    /// The head of the log, `ENTRIES:HASH`; `null` if the collector keeps no chain yet.
    pub head: Option<String>,
    /// The root of the log's Merkle tree, `ENTRIES:ROOT`; `null` if the collector keeps no tree yet.
    pub root: Option<String>,
    /// The inconsistency of the log or the response, in one line: the log does not continue the one that this device saw
    /// before, an access is missing from the log or from the response, or the response has no proof.
    pub inconsistency: Option<String>,
}

impl From<upload::Accesses> for Accesses {
    fn from(accesses: upload::Accesses) -> Self {
        Self {
            accesses: accesses.accesses.into_iter().map(Access::from).collect(),
            head: accesses.head.map(|head| head.to_string()),
            root: accesses
                .head
                .and_then(|head| head.audit_root())
                .map(|root| root.to_string()),
            inconsistency: accesses.broken.map(|broken| broken.to_string()),
        }
    }
}
