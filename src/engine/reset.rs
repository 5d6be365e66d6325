//! Erasing the state, except for withdrawals that still have to be sent.

use std::{path::Path, sync::Arc};

use serde_json::Value;

use super::{
    Sordino,
    config::SETTINGS,
    plan::{FRESHNESS, PLAN},
};
use crate::{
    Error,
    consent::{RevocationRecords, Stage},
    outbox::Outbox,
    purpose::Purposes,
    state::{Clock, State, StateError, SystemClock},
};

impl Sordino {
    /// Erases all state in the folder, even if it is corrupt: consent, samples, keys. Every
    /// registered record is withdrawn as a whole: those withdrawals stay due, and the next engine
    /// on the folder sends them. The host's settings and the plan are kept if they can be read.
    ///
    /// Returns whether they were kept: otherwise open the engine with its [`super::Config`] again.
    ///
    /// # Errors
    /// An engine has the folder open, a newer version wrote it, or it cannot be written.
    pub fn reset(folder: &Path) -> Result<bool, Error> {
        Self::reset_by(folder, &(Arc::new(SystemClock) as Arc<dyn Clock>))
    }

    pub(super) fn reset_by(folder: &Path, clock: &Arc<dyn Clock>) -> Result<bool, Error> {
        if !State::exists(folder) && !RevocationRecords::exist(folder) {
            return Err(Error::NoState(folder.to_owned()));
        }
        let opened = State::open(folder, Arc::clone(clock));
        let kept = match opened.and_then(|state| settings(&state)) {
            Ok(settings) => settings,
            Err(StateError::Damaged(reason)) => {
                tracing::warn!(reason, "the state is corrupt and is erased");
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        // The point of no return: the next start completes what a crash interrupts.
        let revocations = RevocationRecords::open(folder)?;
        revocations.revoke(|_| Purposes::all())?;
        Outbox::destroy(folder)?;
        State::destroy(folder)?;
        revocations.remove(|revocation| revocation.stage == Stage::Kept)?;
        if kept.is_empty() {
            return Ok(false);
        }
        let state = State::open(folder, Arc::clone(clock))?;
        state.write(|txn| -> Result<(), StateError> {
            for (name, value) in &kept {
                txn.set_value(name, value)?;
            }
            Ok(())
        })?;
        Ok(true)
    }
}

/// The host's settings, the plan, and its freshness statement.
fn settings(state: &State) -> Result<Vec<(&'static str, Value)>, StateError> {
    let mut settings = Vec::new();
    for name in [SETTINGS, PLAN, FRESHNESS] {
        settings.extend(state.value(name)?.map(|value| (name, value)));
    }
    Ok(settings)
}
