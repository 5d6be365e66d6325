use std::collections::HashMap;

use crate::{Error, door::caught};
use sordino::{
    Purpose, Purposes,
    consent::{self, ConsentState},
};

/// The text that a person agrees to, in one language.
#[derive(uniffi::Record)]
pub struct Notice {
    /// The organization's count of its texts; the plan names the one that is asked for.
    pub version: u32,
    /// A BCP 47 tag, such as `en` or `pt-BR`.
    pub language: String,
    /// What the person reads.
    pub text: String,
}

impl From<Notice> for consent::Notice {
    fn from(notice: Notice) -> Self {
        Self::new(notice.version, notice.language, notice.text)
    }
}

/// A notice that comes with the SDK: `notice` is what `give_consent` takes, the rest are its layers,
/// for the app's screens.
#[derive(uniffi::Record)]
pub struct BundledNotice {
    /// The whole text, in `language`, which the record names by its hash.
    pub notice: Notice,
    /// The language that was asked for, as it was asked.
    pub asked_language: String,
    /// The language that it is in.
    pub language: String,
    /// Whether nothing that fits the language asked for is bundled, so that English was given.
    pub fell_back: bool,
    /// The question, one line.
    pub title: String,
    /// The short layer: three to five sentences, for the screen that asks.
    pub short: String,
    /// The full layer, in sections.
    pub full: Vec<NoticeSection>,
    /// What each purpose is, in one paragraph, for beside its switch.
    pub purposes: HashMap<Purpose, String>,
}

/// A part of a notice's full layer.
#[derive(uniffi::Record)]
pub struct NoticeSection {
    /// What it is about.
    pub heading: String,
    /// What it says.
    pub paragraphs: Vec<String>,
}

impl From<consent::NoticeSection> for NoticeSection {
    fn from(section: consent::NoticeSection) -> Self {
        Self {
            heading: section.heading,
            paragraphs: section.paragraphs,
        }
    }
}

impl From<consent::BundledNotice> for BundledNotice {
    fn from(bundled: consent::BundledNotice) -> Self {
        let notice = bundled.notice();
        let purposes = Purpose::ALL.map(|purpose| (purpose, bundled.purpose(purpose).to_owned()));
        Self {
            notice: Notice {
                version: notice.version(),
                language: notice.language().to_owned(),
                text: notice.text().to_owned(),
            },
            asked_language: bundled.asked_language().to_owned(),
            language: bundled.language().to_owned(),
            fell_back: bundled.fallback().is_some(),
            title: bundled.title().to_owned(),
            short: bundled.short().to_owned(),
            full: bundled.full().iter().cloned().map(Into::into).collect(),
            purposes: purposes.into(),
        }
    }
}

/// The notice that comes with the SDK, under the organization's `version`, in the language nearest to
/// `language`, a BCP 47 tag, or else in English.
///
/// `app_name` is what the app is called (1 to 100 characters), `app_contact` where questions go (1 to
/// 200 characters): the notice says both. `days` is how long a yes lasts, the plan's `consent_days`, and
/// `retention_days` how long samples are kept, the plan's too; those of a purpose that it lacks are kept until
/// the person says no.
///
/// Raises `Argument` where one of them cannot be shown.
#[uniffi::export(default(retention_days))]
pub fn bundled_notice(
    version: u32,
    language: &str,
    app_name: &str,
    app_contact: &str,
    days: u32,
    retention_days: HashMap<Purpose, u32>,
) -> Result<BundledNotice, Error> {
    caught(|| {
        let app = consent::App::new(app_name, app_contact)?;
        let terms = consent::NoticeTerms {
            consent_days: days,
            retention_days: retention_days.into_iter().collect(),
        };
        Ok(consent::Notice::bundled(version, language, &app, terms)?.into())
    })
}

/// Where consent stands, and for what.
#[derive(uniffi::Record)]
pub struct ConsentStatus {
    /// The state.
    pub state: ConsentState,
    /// What was asked and answered yes, whether or not it holds at present; empty once withdrawn.
    pub purposes: Purposes,
    /// The receipt, a signed JSON document, where consent was ever given.
    pub receipt: Option<String>,
    /// Whether a child said it who came of age since: the person is asked anew, as an adult.
    pub came_of_age: bool,
}

impl From<consent::ConsentStatus> for ConsentStatus {
    fn from(status: consent::ConsentStatus) -> Self {
        Self {
            state: status.state,
            purposes: status.purposes,
            receipt: status.receipt.map(|receipt| receipt.to_json()),
            came_of_age: status.came_of_age,
        }
    }
}

/// What a withdrawal did.
#[derive(uniffi::Record)]
pub struct Withdrawal {
    /// Pending samples that were shredded.
    pub shredded: u64,
    /// Sent samples whose deletion is queued.
    pub deletions_pending: u64,
}

impl From<sordino::Withdrawal> for Withdrawal {
    fn from(withdrawal: sordino::Withdrawal) -> Self {
        Self {
            shredded: withdrawal.shredded as u64,
            deletions_pending: withdrawal.deletions_pending as u64,
        }
    }
}
