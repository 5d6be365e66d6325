//! The facts in `compliance/facts/*.toml`, typed.
//!
//! Tests in `compliance/tests` and the tests of a device's traffic compare them with the code.

pub(crate) mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;
use sordino::Purpose;

use wire::{Document, Field, Layer, Request, Statement};

/// All files as one TOML document, because each has different tables.
const FILES: &str = concat!(
    include_str!("../../../../../compliance/facts/data.toml"),
    include_str!("../../../../../compliance/facts/purposes.toml"),
    include_str!("../../../../../compliance/facts/record.toml"),
    include_str!("../../../../../compliance/facts/rights.toml"),
    include_str!("../../../../../compliance/facts/measures.toml"),
    include_str!("../../../../../compliance/facts/risks.toml"),
    include_str!("../../../../../compliance/facts/gdpr.toml"),
    include_str!("../../../../../compliance/facts/coppa.toml"),
    include_str!("../../../../../compliance/facts/stores.toml"),
    include_str!("../../../../../compliance/facts/requests.toml"),
    include_str!("../../../../../compliance/facts/registration.toml"),
    include_str!("../../../../../compliance/facts/manifest.toml"),
    include_str!("../../../../../compliance/facts/layers.toml"),
    include_str!("../../../../../compliance/facts/placeholders.toml"),
);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub(crate) category: Vec<Category>,
    pub(crate) purpose: Vec<PurposeFacts>,
    pub(crate) record: RecordFacts,
    pub(crate) right: Vec<Right>,
    pub(crate) measure: Vec<Measure>,
    pub(crate) risk: Vec<Risk>,
    pub(crate) gdpr: Vec<Provision>,
    pub(crate) coppa: Vec<Provision>,
    pub(crate) store_data: Vec<StoreData>,
    pub(crate) apple_purpose: BTreeMap<String, String>,
    pub(crate) apple_api: Vec<AppleApi>,
    pub(crate) request: Vec<Request>,
    header: BTreeMap<String, Field>,
    pub(crate) registration: Document,
    pub(crate) withdrawal: Document,
    pub(crate) manifest: Document,
    pub(crate) age_file: Vec<Layer>,
    pub(crate) archive: Vec<Layer>,
    pub(crate) network: Vec<Layer>,
    pub(crate) placeholder: Vec<Placeholder>,
}

/// A category of personal data.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Category {
    pub(crate) name: String,
    /// Its identifier in a consent record, which repeats [`Self::holds`].
    pub(crate) in_record: Option<String>,
    pub(crate) holds: String,
    pub(crate) personal: String,
    pub(crate) place: String,
    pub(crate) kept: String,
    pub(crate) recipients: String,
    pub(crate) leaves_device: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurposeFacts {
    pub(crate) id: Purpose,
    pub(crate) title: String,
    /// Consent records repeat it.
    pub(crate) what: String,
    pub(crate) necessity: String,
}

/// The statements about processing as a whole, in every consent record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordFacts {
    pub(crate) source: String,
    pub(crate) retention: String,
    pub(crate) deletion: String,
    pub(crate) recipients: String,
    pub(crate) no_third_party: String,
    pub(crate) withdrawal: String,
    pub(crate) withdrawal_place: String,
}

/// A right of the data subject.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Right {
    pub(crate) name: String,
    /// Its identifier in a consent record, which repeats [`Self::gives`].
    pub(crate) in_record: Option<String>,
    pub(crate) source: String,
    pub(crate) gives: String,
    pub(crate) how: Option<String>,
    #[serde(default)]
    pub(crate) evidence: EvidenceList,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measure {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) evidence: EvidenceList,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Risk {
    pub(crate) name: String,
    pub(crate) sources: String,
    pub(crate) impact: String,
    pub(crate) before: RiskLevel,
    pub(crate) measures: String,
    pub(crate) after: RiskLevel,
    pub(crate) residual: String,
    pub(crate) evidence: EvidenceList,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RiskLevel {
    likelihood: Level,
    severity: Level,
}

/// The scale of the CNIL's PIA method.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Level {
    Negligible,
    Limited,
    Significant,
    Maximum,
}

impl RiskLevel {
    pub(crate) fn is_high(self) -> bool {
        self.likelihood.max(self.severity) >= Level::Significant
    }
}

impl fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [likelihood, severity] = [self.likelihood, self.severity].map(|level| match level {
            Level::Negligible => "negligible",
            Level::Limited => "limited",
            Level::Significant => "significant",
            Level::Maximum => "maximum",
        });
        write!(f, "{likelihood}, {severity}")
    }
}

/// An article of the GDPR or a section of the COPPA rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provision {
    pub(crate) number: String,
    pub(crate) requires: String,
    pub(crate) met_by: String,
    /// The remaining duty of the app's owner; `None` if the code fulfills all of it.
    pub(crate) left: Option<String>,
    /// Whether the code does not contribute to it.
    #[serde(default)]
    pub(crate) owner_only: bool,
    #[serde(default)]
    pub(crate) evidence: EvidenceList,
}

/// A category of data, in the terms of the store forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreData {
    pub(crate) what: String,
    pub(crate) because: String,
    pub(crate) google: StoreType,
    pub(crate) apple: StoreType,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreType {
    pub(crate) category: String,
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    /// Apple's name of the type in a privacy manifest.
    #[serde(default)]
    pub(crate) constant: String,
    pub(crate) purposes: Vec<String>,
    pub(crate) because: String,
}

/// A "required reason API" of Apple.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppleApi {
    pub(crate) category: String,
    /// `None` if the library does not call it.
    pub(crate) reason: Option<String>,
    pub(crate) because: String,
    #[serde(default)]
    pub(crate) evidence: EvidenceList,
}

/// A placeholder for the owner of the app to fill in: `[TO FILL: name]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Placeholder {
    pub(crate) name: String,
    pub(crate) asks: String,
}

/// Files of the repository, with the test that shows the claim if there is one: `path` or `path::test`.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct EvidenceList(Vec<String>);

impl EvidenceList {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|entry| match entry.split_once("::") {
            Some((path, test)) => (path, Some(test)),
            None => (entry.as_str(), None),
        })
    }
}

/// Writes links relative to docs/papers.
impl fmt::Display for EvidenceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, test)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "<br>" };
            write!(f, "{separator}[{path}](../../{path})")?;
            if let Some(test) = test {
                write!(f, " `{test}`")?;
            }
        }
        Ok(())
    }
}

impl Facts {
    pub(crate) fn load() -> Self {
        // The files are embedded in the program, and each test of this module reads them.
        let mut facts: Self = toml::from_str(FILES).expect("compliance/facts is well formed");
        for request in &mut facts.request {
            request.fields = request
                .headers
                .iter()
                .map(|id| facts.header[id].clone())
                .collect();
        }
        let mut registration = std::mem::take(&mut facts.registration);
        registration.resolve(|statement| facts.texts(statement));
        facts.registration = registration;
        facts
    }

    /// The possible descriptions in a consent record.
    fn texts(&self, statement: Statement) -> Vec<String> {
        use Statement::*;
        let record = &self.record;
        match statement {
            Purposes => self.purpose.iter().map(|fact| fact.what.clone()).collect(),
            Categories => (self.category.iter())
                .filter(|category| category.in_record.is_some())
                .map(|category| category.holds.clone())
                .collect(),
            Rights => (self.right.iter())
                .filter(|right| right.in_record.is_some())
                .map(|right| right.gives.clone())
                .collect(),
            Source => vec![record.source.clone()],
            Retention => vec![record.retention.clone()],
            Deletion => vec![record.deletion.clone()],
            Recipients => vec![record.recipients.clone()],
            NoThirdParty => vec![record.no_third_party.clone()],
            Withdrawal => vec![record.withdrawal.clone()],
            WithdrawalPlace => vec![record.withdrawal_place.clone()],
        }
    }

    pub(crate) fn category_names(&self, leaving_device: bool) -> Vec<&str> {
        (self.category.iter())
            .filter(|category| category.leaves_device == leaving_device)
            .map(|category| category.name.as_str())
            .collect()
    }

    /// Each of Apple's data types, with the purposes of all data of that type.
    pub(crate) fn apple_data_types(&self) -> Vec<(&str, BTreeSet<&str>)> {
        let mut types: Vec<(&str, BTreeSet<&str>)> = Vec::new();
        for StoreData { apple, .. } in &self.store_data {
            let purposes = apple
                .purposes
                .iter()
                .map(|name| self.apple_purpose[name].as_str());
            match types.iter_mut().find(|(name, _)| *name == apple.constant) {
                Some((_, known)) => known.extend(purposes),
                None => types.push((&apple.constant, purposes.collect())),
            }
        }
        types
    }
}
