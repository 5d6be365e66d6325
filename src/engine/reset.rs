//! Forgetting a device, but for the "no"s that it still has to say.

use std::{path::Path, sync::Arc};

use serde_json::Value;

use super::{FRESHNESS, PLAN, SETTINGS, Sordino};
use crate::{
    Error,
    consent::{RevocationRecords, Stage},
    outbox::Outbox,
    purpose::Purposes,
    state::{Clock, State, StateError, SystemClock},
};

impl Sordino {
    /// Forgets all that the folder holds, also where it is damaged: consent, samples, keys. What was
    /// registered with the collector is withdrawn as a whole: those withdrawals stay due, and the next
    /// engine on the folder sends them. The host's settings and the plan stay, where they can be read.
    ///
    /// Returns whether they could be: without them, open the engine with its [`super::Config`] again.
    ///
    /// # Errors
    /// An engine has the folder open, a newer version wrote it, or it cannot be written.
    pub fn reset(folder: &Path) -> Result<bool, Error> {
        Self::reset_by(folder, &(Arc::new(SystemClock) as Arc<dyn Clock>))
    }

    pub(super) fn reset_by(folder: &Path, clock: &Arc<dyn Clock>) -> Result<bool, Error> {
        if !State::exists(folder) && !RevocationRecords::exist(folder) {
            return Err(Error::NoDevice(folder.to_owned()));
        }
        let opened = State::open(folder, Arc::clone(clock));
        let kept = match opened.and_then(|state| settings(&state)) {
            Ok(settings) => settings,
            Err(StateError::Damaged(reason)) => {
                tracing::warn!(reason, "the state is damaged and is forgotten");
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        // From here on there is no way back: the next start takes up what a crash leaves.
        let slips = RevocationRecords::open(folder)?;
        slips.revoke(|_| Purposes::all())?;
        Outbox::destroy(folder)?;
        State::destroy(folder)?;
        slips.remove(|slip| slip.stage == Stage::Kept)?;
        if kept.is_empty() {
            return Ok(false);
        }
        let anew = State::open(folder, Arc::clone(clock))?;
        anew.write(|change| -> Result<(), StateError> {
            for (name, value) in &kept {
                change.set_value(name, value)?;
            }
            Ok(())
        })?;
        Ok(true)
    }
}

/// What the host set, the plan, and until when it is fresh.
fn settings(state: &State) -> Result<Vec<(&'static str, Value)>, StateError> {
    let mut settings = Vec::new();
    for name in [SETTINGS, PLAN, FRESHNESS] {
        settings.extend(state.value(name)?.map(|value| (name, value)));
    }
    Ok(settings)
}
