//! A person's response to the notice, and the consent record that it extends or begins.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::{SignedDuration, Timestamp};
use ring::signature::Ed25519KeyPair;

use super::{
    AgeBand, ConsentError, Guardian, Notice, Record, SignedRecord, Terms,
    rows::{Phase, RecordRow},
};
use crate::{id::Id, purpose::Purposes, rng, state, week::Week};

/// A person's response to the notice.
#[derive(Clone, Debug)]
pub struct ConsentResponse<'a> {
    /// The purposes that the person consents to.
    pub purposes: Purposes,
    /// Whether a guardian must approve.
    pub age_band: AgeBand,
    /// The guardian's approval, where the app has it already.
    pub guardian: Option<Guardian<'a>>,
    /// The text that was shown.
    pub notice: &'a Notice,
}

/// Extends the active record with the response, where it answers the same question.
pub(super) fn extend(
    row: &mut RecordRow,
    response: &ConsentResponse<'_>,
    now: Timestamp,
    terms: &Terms,
) -> Result<Option<SignedRecord>, ConsentError> {
    let is_active = matches!(row.phase, Phase::Granted | Phase::AwaitingGuardian);
    let signed = row.record()?;
    let record = signed.content();
    let same_controller = record
        .controller
        .as_ref()
        .is_none_or(|controller| *controller == terms.controller);
    let same_question = same_controller
        && record.age_band == response.age_band
        && record.notice == response.notice.reference();
    let was_withdrawn = response
        .purposes
        .iter()
        .any(|purpose| row.withdrawn_purposes.contains(purpose));
    if !is_active || !same_question || was_withdrawn {
        return Ok(None);
    }
    let purposes = record.purposes.union(&response.purposes);
    let approves = row.phase == Phase::AwaitingGuardian && response.guardian.is_some();
    let adds_purposes = purposes != record.purposes;
    if approves && !record.purposes.is_subset(&response.purposes) {
        // The guardian approves this response, not what the child had asked for before.
        return Ok(None);
    }
    if adds_purposes && row.phase == Phase::Granted && record.age_band.needs_guardian() {
        // The guardian approved what was asked then, not more.
        let Some(_) = response.guardian else {
            return Ok(None);
        };
    }
    if !adds_purposes && !approves {
        return Ok(Some(signed));
    }
    let guardian = response
        .guardian
        .filter(|_| response.age_band.needs_guardian())
        .map(|guardian| guardian.approval(record.id, Week::from_timestamp(now)))
        .transpose()?;
    let revised = row.revise(|record| {
        record.purposes = purposes;
        record.guardian = guardian.or(record.guardian);
        record
            .controller
            .get_or_insert_with(|| terms.controller.clone());
    })?;
    if guardian.is_some() {
        row.phase = Phase::Granted;
    }
    Ok(Some(revised))
}

/// Begins a new record with the response.
pub(super) fn begin(
    response: &ConsentResponse<'_>,
    now: Timestamp,
    terms: &Terms,
) -> Result<(Id, RecordRow, SignedRecord), ConsentError> {
    let id = Id::random()?;
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&rng::system()).map_err(|_| crate::RngError)?;
    let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| crate::RngError)?;
    let needs_guardian = response.age_band.needs_guardian();
    let guardian = response
        .guardian
        .filter(|_| needs_guardian)
        .map(|guardian| guardian.approval(id, Week::from_timestamp(now)))
        .transpose()?;
    let ends = state::saturating_add(now, SignedDuration::from_hours(24 * i64::from(terms.days)));
    let phase = match guardian {
        None if needs_guardian => Phase::AwaitingGuardian,
        _ => Phase::Granted,
    };
    let record = Record {
        schema: Record::SCHEMA,
        id,
        revision: 1,
        purposes: response.purposes.clone(),
        age_band: response.age_band,
        guardian,
        notice: response.notice.reference(),
        controller: Some(terms.controller.clone()),
        given: Week::from_timestamp(now),
        holds_until: Week::from_timestamp(ends),
    };
    let signed = SignedRecord::sign(record, &key)?;
    let row = RecordRow {
        document: signed.to_json(),
        key: BASE64.encode(pkcs8.as_ref()),
        phase,
        ends,
        withdrawn_purposes: Purposes::default(),
        collectors: BTreeMap::new(),
    };
    Ok((id, row, signed))
}
