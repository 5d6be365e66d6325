//! What the papers say of a plan.

use std::path::Path;

use sordino::{
    disclosure::{PURPOSES, PurposeFacts},
    plan::{Controller, Plan, Review},
};

use super::blank::Blank;
use crate::{
    commands::{example_plan, read_plan},
    error::CliError,
};

/// The plan whose figures stand in the papers.
pub(super) struct Facts {
    plan: Plan,
    is_example: bool,
}

impl Facts {
    /// Of the signed plan at `path`, or of the example plan.
    pub(super) fn of(path: Option<&Path>) -> Result<Self, CliError> {
        let plan = match path {
            Some(path) => read_plan(path)?.content().clone(),
            None => example_plan()?,
        };
        Ok(Self {
            plan,
            is_example: path.is_none(),
        })
    }

    /// Who decides, as the plan names them. The example's names nobody.
    pub(super) fn controller(&self) -> String {
        match self.named() {
            Some(named) => named.name.clone(),
            None => Blank::Controller.to_string(),
        }
    }

    /// Where they are reached: what the plan states, and the rest of it to fill in.
    pub(super) fn contact(&self) -> String {
        let country = self.named().and_then(|named| named.country.clone());
        let stated = self.named().map(|named| named.contact.clone());
        let parts = stated
            .into_iter()
            .chain(country)
            .chain([Blank::Contact.to_string()]);
        parts.collect::<Vec<_>>().join(", ")
    }

    fn named(&self) -> Option<&Controller> {
        self.plan.controller.as_ref().filter(|_| !self.is_example)
    }

    /// Whether the plan has the person hear each sample before it is sealed.
    pub(super) fn is_reviewed(&self) -> bool {
        self.plan.review == Review::Required
    }

    /// Where the figures come from.
    pub(super) fn source(&self) -> String {
        match self.is_example {
            true => "The figures of the plan are those of samples/plan.toml, an example; \
                     `sordino papers --out DIR --plan PLAN.json` puts yours in their place."
                .to_owned(),
            false => format!(
                "The figures are those of plan version {}.",
                self.plan.version
            ),
        }
    }

    /// The purposes that the plan asks for.
    pub(super) fn purposes(&self) -> impl Iterator<Item = &'static PurposeFacts> {
        PURPOSES
            .iter()
            .filter(|facts| self.plan.purposes.contains(facts.purpose))
    }

    /// As in "20 keys (recipients)".
    pub(super) fn recipients(&self) -> String {
        match self.plan.recipients.len() {
            1 => "1 key (recipient)".to_owned(),
            many => format!("{many} keys (recipients)"),
        }
    }

    /// How long a yes lasts.
    pub(super) fn consent_days(&self) -> u32 {
        self.plan.consent_days
    }

    /// How long the collector keeps samples for each purpose, as in "for quality assurance 180 days".
    pub(super) fn retention(&self) -> String {
        let kept: Vec<String> = self
            .purposes()
            .map(|facts| {
                let title = facts.title.to_lowercase();
                match self.plan.retention_days(facts.purpose) {
                    Some(days) => format!("for {title} {days} days after the end of their week"),
                    None => format!("for {title} without a limit, since the plan sets none"),
                }
            })
            .collect();
        kept.join(", ")
    }

    /// Length of a sample, in seconds.
    pub(super) fn clip_seconds(&self) -> u32 {
        self.plan.clip_seconds
    }

    /// The most sound that one device can give in a day.
    pub(super) fn budget(&self) -> String {
        format!(
            "at most {} samples and {:.1} MB a day from one device",
            self.plan.samples_per_day,
            self.plan.bytes_per_day as f64 / 1e6
        )
    }

    /// Every figure, as rows of a table.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let plan = &self.plan;
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        vec![
            row("plan", format!("version {}", plan.version)),
            row("purposes", plan.purposes.to_string()),
            row("notice", format!("version {}", plan.notice_version)),
            row("consent lasts", format!("{} days", plan.consent_days)),
            row("samples are kept", self.retention()),
            row("can be opened with", self.recipients()),
            row(
                "the person hears a sample before it is sealed",
                match self.is_reviewed() {
                    true => "always",
                    false => "only where the app asks for it",
                }
                .to_owned(),
            ),
            row(
                "a sample",
                format!(
                    "{} s, {} s of them before the app's mark, {} samples a second",
                    plan.clip_seconds, plan.pre_roll_seconds, plan.sample_rate
                ),
            ),
            row("budget", self.budget()),
            row(
                "moments that the app marks",
                format!("taken with probability {}", plan.triggers.mark_probability),
            ),
            row(
                "other moments",
                format!(
                    "taken with probability {}",
                    plan.triggers.random_probability
                ),
            ),
        ]
    }
}
