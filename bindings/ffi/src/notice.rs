//! The consent notice: the text that a person agrees to.

use std::collections::HashMap;

use sordino::{
    Purpose,
    consent::{self, App, ConsentError},
};

use crate::{engine::Engine, error::Error, panics::catch_panic};

/// The notice.
#[uniffi::export]
impl Engine {
    /// The bundled notice for the installed plan, in the available language nearest to `language`, a BCP 47 tag, or in
    /// English.
    ///
    /// Raises `Consent` if no plan is installed, and `Argument` if the app's name or contact is empty, too long or has
    /// control characters.
    pub fn notice(&self, language: &str, app: AppInfo) -> Result<BundledNotice, Error> {
        self.handle.with_engine(|engine| {
            let plan = engine.plan().ok_or(ConsentError::NoPlan)?;
            let app = App::new(&app.name, &app.contact)?;
            let notice = consent::Notice::bundled(plan.notice_version, language, &app, &plan)?;
            Ok(notice.into())
        })
    }
}

/// The text that a person agrees to, in one language.
#[derive(uniffi::Record)]
pub struct Notice {
    /// The organization's version of its text; the plan names the one to ask for.
    pub version: u32,
    /// A BCP 47 tag, such as `en` or `pt-BR`.
    pub language: String,
    /// The text that the person reads.
    pub text: String,
}

impl From<Notice> for consent::Notice {
    fn from(notice: Notice) -> Self {
        Self::new(notice.version, notice.language, notice.text)
    }
}

/// The app as the notice names it.
#[derive(uniffi::Record)]
pub struct AppInfo {
    /// The app's name, 1 to 100 characters.
    pub name: String,
    /// A contact for questions, 1 to 200 characters.
    pub contact: String,
}

/// The version and the durations that a notice states. `Engine.notice` takes them from the installed plan.
#[derive(uniffi::Record)]
pub struct NoticeTerms {
    /// The organization's version of its text: the plan's `notice_version`.
    pub version: u32,
    /// The number of days for which consent lasts: the plan's `consent_days`.
    pub consent_days: u32,
    /// The number of days for which samples are kept: the plan's `retention_days`. Samples of a purpose that is not here are kept until
    /// consent is withdrawn.
    #[uniffi(default)]
    pub retention_days: HashMap<Purpose, u32>,
}

/// A notice that is part of the SDK: `notice` is for `give_consent`, the rest are its layers, for the app's screens.
#[derive(uniffi::Record)]
pub struct BundledNotice {
    /// The whole text, in `language`. The consent record has its hash.
    pub notice: Notice,
    /// The language that was requested.
    pub requested_language: String,
    /// The language of the text.
    pub language: String,
    /// Whether the requested language is not available, so that the text is in English.
    pub fallback: bool,
    /// The question, one line.
    pub title: String,
    /// The short layer: three to five sentences, for the screen that asks.
    pub short: String,
    /// The full layer, in sections.
    pub full: Vec<NoticeSection>,
    /// One paragraph about each purpose, to show next to its switch.
    pub purposes: HashMap<Purpose, String>,
}

/// A section of a notice's full layer.
#[derive(uniffi::Record)]
pub struct NoticeSection {
    /// The heading.
    pub heading: String,
    /// The paragraphs.
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
            requested_language: bundled.asked_language().to_owned(),
            language: bundled.language().to_owned(),
            fallback: bundled.fallback().is_some(),
            title: bundled.title().to_owned(),
            short: bundled.short().to_owned(),
            full: bundled.full().iter().cloned().map(Into::into).collect(),
            purposes: purposes.into(),
        }
    }
}

/// The bundled notice for given terms, for an app without an installed plan; otherwise use `Engine.notice`.
/// It is in the available language nearest to `language`, a BCP 47 tag, or in English.
///
/// Raises `Argument` if one of the arguments is out of bounds.
#[uniffi::export]
pub fn bundled_notice(
    language: &str,
    app: AppInfo,
    terms: NoticeTerms,
) -> Result<BundledNotice, Error> {
    catch_panic(|| {
        let app = App::new(&app.name, &app.contact)?;
        let NoticeTerms {
            version,
            consent_days,
            retention_days,
        } = terms;
        let terms = consent::NoticeTerms {
            consent_days,
            retention_days: retention_days.into_iter().collect(),
        };
        Ok(consent::Notice::bundled(version, language, &app, terms)?.into())
    })
}
