//! The figures of a plan in the documents.

use std::path::Path;

use sordino::plan::{Plan, Review};

use super::facts::{Facts, PurposeFacts};
use crate::{
    commands::{example_plan, read_plan},
    error::CliError,
};

pub(super) struct PlanFigures<'a> {
    pub(super) is_example: bool,
    pub(super) version: u64,
    /// The controller's name in the plan, or a placeholder. The example plan has none.
    pub(super) controller: String,
    /// The controller's contact in the plan, with a placeholder for the rest.
    pub(super) contact: String,
    pub(super) purposes: Vec<PlannedPurpose<'a>>,
    pub(super) purpose_names: String,
    pub(super) notice_version: u32,
    pub(super) consent_days: u32,
    pub(super) recipients: usize,
    pub(super) is_reviewed: bool,
    pub(super) clip_seconds: u32,
    pub(super) pre_roll_seconds: u32,
    pub(super) sample_rate: u32,
    pub(super) samples_per_day: u32,
    pub(super) megabytes_per_day: String,
    pub(super) mark_probability: f64,
    pub(super) random_probability: f64,
}

/// A purpose that the plan asks consent for.
pub(super) struct PlannedPurpose<'a> {
    pub(super) facts: &'a PurposeFacts,
    pub(super) retention_days: Option<u16>,
}

impl<'a> PlanFigures<'a> {
    /// The figures of the signed plan at `path`, or of the example plan.
    pub(super) fn read(path: Option<&Path>, facts: &'a Facts) -> Result<Self, CliError> {
        let plan = match path {
            Some(path) => read_plan(path)?.content().clone(),
            None => example_plan()?,
        };
        Ok(Self::new(&plan, path.is_none(), facts))
    }

    fn new(plan: &Plan, is_example: bool, facts: &'a Facts) -> Self {
        let controller = plan.controller.as_ref().filter(|_| !is_example);
        let contact = controller
            .into_iter()
            .flat_map(|controller| [&controller.contact].into_iter().chain(&controller.country));
        let contact: Vec<&str> = (contact.map(String::as_str))
            .chain(["[TO FILL: contact]"])
            .collect();
        let purposes = facts
            .purpose
            .iter()
            .filter(|purpose| plan.purposes.contains(purpose.id));
        Self {
            is_example,
            version: plan.version,
            controller: controller
                .map_or("[TO FILL: controller]", |controller| &controller.name)
                .to_owned(),
            contact: contact.join(", "),
            purposes: purposes
                .map(|facts| PlannedPurpose {
                    facts,
                    retention_days: plan.retention_days(facts.id),
                })
                .collect(),
            purpose_names: plan.purposes.to_string(),
            notice_version: plan.notice_version,
            consent_days: plan.consent_days,
            recipients: plan.recipients.len(),
            is_reviewed: plan.review == Review::Required,
            clip_seconds: plan.clip_seconds,
            pre_roll_seconds: plan.pre_roll_seconds,
            sample_rate: plan.sample_rate,
            samples_per_day: plan.samples_per_day,
            megabytes_per_day: format!("{:.1}", plan.bytes_per_day as f64 / 1e6),
            mark_probability: plan.triggers.mark_probability,
            random_probability: plan.triggers.random_probability,
        }
    }
}
