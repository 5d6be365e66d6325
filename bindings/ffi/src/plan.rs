//! The sampling plan.

use std::collections::HashMap;

use sordino::{
    Purpose, Purposes,
    consent::NoticeTerms,
    plan::{self, Review},
};

use crate::{engine::Engine, error::Error};

/// The sampling plan.
#[uniffi::export]
impl Engine {
    /// Installs a signed sampling plan: the JSON that `sordino plan sign` wrote.
    ///
    /// Raises `Plan` if it is not signed by the organization, out of bounds, expired, or older than the
    /// installed plan.
    pub fn install_plan(&self, json: &[u8]) -> Result<(), Error> {
        self.handle
            .with_engine(|engine| Ok(engine.install_plan(json)?))
    }

    /// The installed plan, even if it has expired; `null` before the first.
    pub fn plan(&self) -> Result<Option<Plan>, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.plan().map(Plan::from)))
    }
}

/// A sampling plan: the samples that the organization asks for, with their limits. It grants nothing; only the person
/// does.
#[derive(uniffi::Record)]
pub struct Plan {
    /// Increases with each plan; a device never goes back to a lower version.
    pub version: u64,
    /// The first day (UTC) on which it is expired, as `2030-12-31`.
    pub expires: String,
    /// The number of days for which the device may sample and send after the organization's last statement that this is the newest
    /// plan; `null` if no statement is needed.
    pub fresh_days: Option<u16>,
    /// The day (UTC) on which it was signed, as `2030-12-31`; `null` without `fresh_days`.
    pub signed_on: Option<String>,
    /// The kill switch: while it is set, nothing is sampled and nothing uploaded.
    pub paused: bool,
    /// The keys that can open the samples, as `age1…`.
    pub recipients: Vec<String>,
    /// The purposes that may be asked for.
    pub purposes: Purposes,
    /// The version of the notice that a person must have agreed to.
    pub notice_version: u32,
    /// The number of days for which consent lasts.
    pub consent_days: u32,
    /// The number of days for which a purpose's samples are kept after the week in which they were sent. Samples of a purpose
    /// that is not here are kept until consent is withdrawn.
    pub retention_days: HashMap<Purpose, u32>,
    /// Whether the person hears each sample before it is sealed: see `previews`.
    pub review_required: bool,
    /// The probability with which a moment that the app marks is selected, 0 to 1.
    pub mark_probability: f64,
    /// The probability with which each interval of `clip_seconds` is selected at random, 0 to 1.
    pub random_probability: f64,
    /// The maximum number of samples that a device makes per day.
    pub samples_per_day: u32,
    /// The maximum number of bytes of sealed samples that a device makes per day.
    pub bytes_per_day: u64,
    /// Length of a sample in seconds.
    pub clip_seconds: u32,
    /// The part of a marked clip before the mark, in seconds.
    pub pre_roll_seconds: u32,
    /// Sample rate of a sample in Hz.
    pub sample_rate: u32,
}

impl From<plan::Plan> for Plan {
    fn from(plan: plan::Plan) -> Self {
        let NoticeTerms { retention_days, .. } = (&plan).into();
        Self {
            version: plan.version,
            expires: plan.expires.to_string(),
            fresh_days: plan.fresh_days,
            signed_on: plan.signed_on.map(|day| day.to_string()),
            paused: plan.paused,
            recipients: plan.recipients.iter().map(ToString::to_string).collect(),
            purposes: plan.purposes,
            notice_version: plan.notice_version,
            consent_days: plan.consent_days,
            retention_days: retention_days.into_iter().collect(),
            review_required: plan.review == Review::Required,
            mark_probability: plan.triggers.mark_probability,
            random_probability: plan.triggers.random_probability,
            samples_per_day: plan.samples_per_day,
            bytes_per_day: plan.bytes_per_day,
            clip_seconds: plan.clip_seconds,
            pre_roll_seconds: plan.pre_roll_seconds,
            sample_rate: plan.sample_rate,
        }
    }
}
