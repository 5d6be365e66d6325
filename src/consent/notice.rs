//! The text that a person consents to: an app's own, or a bundled one of the SDK.

mod bundled;
mod language;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

pub use bundled::{BundledNotice, LanguageFallback, NoticeSection};

use super::NoticeReference;
use crate::{Purpose, plan::Plan};

/// A notice in one language. The record names it by version, language and hash, so that the exact
/// text can be produced later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    version: u32,
    language: String,
    text: String,
}

impl Notice {
    /// The languages of the bundled notices (BCP 47). The first is the fallback.
    pub const LANGUAGES: [&'static str; 9] = bundled::LANGUAGES;

    /// A notice of the app: `version` is the organization's number, `language` a BCP 47 tag.
    pub fn new(version: u32, language: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            version,
            language: language.into(),
            text: text.into(),
        }
    }

    /// The bundled text, in layers, under the organization's `version`.
    ///
    /// `language` is a BCP 47 tag. The best match is returned: `de` for `de-AT`. If none matches,
    /// English is, with [`BundledNotice::fallback`] set. `terms` are the validity of consent and the
    /// retention of samples: those of a `&Plan`, or the days of consent alone, with samples kept until the
    /// person withdraws consent.
    ///
    /// ```
    /// use sordino::consent::{App, Notice};
    ///
    /// let app = App::new("Etude", "privacy@etude.example")?;
    /// let bundled = Notice::bundled(1, "de-AT", &app, 365)?;
    /// assert_eq!(bundled.language(), "de");
    /// assert!(bundled.fallback().is_none());
    /// assert!(bundled.notice().text().contains("privacy@etude.example"));
    /// # Ok::<(), sordino::consent::NoticeError>(())
    /// ```
    ///
    /// # Errors
    /// [`NoticeError::Days`], [`NoticeError::Retention`].
    pub fn bundled(
        version: u32,
        language: &str,
        app: &App,
        terms: impl Into<NoticeTerms>,
    ) -> Result<BundledNotice, NoticeError> {
        BundledNotice::render(version, language, app, &terms.into())
    }

    /// The organization's number for this text.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The language of the text (BCP 47).
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The text that the person reads, and that is hashed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The reference to this text in a record.
    pub fn reference(&self) -> NoticeReference {
        let hash = digest(&SHA256, self.text.as_bytes());
        NoticeReference {
            version: self.version,
            language: self.language.clone(),
            sha256: crate::hex::encode(hash.as_ref()),
        }
    }
}

/// The terms that a notice states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeTerms {
    /// The validity of consent, 1 to 366 days: [`Plan::consent_days`].
    pub consent_days: u32,
    /// Days that a purpose's samples are kept after the week in which they were sent, at least 1:
    /// [`Plan::retention_days`]. Samples for a missing purpose are kept until the person withdraws consent.
    pub retention_days: BTreeMap<Purpose, u32>,
}

impl From<u32> for NoticeTerms {
    fn from(consent_days: u32) -> Self {
        Self {
            consent_days,
            retention_days: BTreeMap::new(),
        }
    }
}

impl From<&Plan> for NoticeTerms {
    fn from(plan: &Plan) -> Self {
        let kept = plan.retention_days.iter();
        Self {
            consent_days: plan.consent_days,
            retention_days: kept
                .map(|(&purpose, &days)| (purpose, days.into()))
                .collect(),
        }
    }
}

/// The app that asks, as the person knows it. Its texts are single lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    name: String,
    contact: String,
}

impl App {
    /// The longest name, in characters.
    pub const NAME_CHARACTERS: usize = 100;
    /// The longest contact, in characters.
    pub const CONTACT_CHARACTERS: usize = 200;

    /// `name` is the app's name, 1 to 100 characters. `contact` is the address for a person's questions,
    /// such as an e-mail address or a web page: 1 to 200 characters. White space around them is
    /// removed.
    ///
    /// # Errors
    /// [`NoticeError::Empty`], [`NoticeError::TooLong`], [`NoticeError::Control`].
    pub fn new(name: &str, contact: &str) -> Result<Self, NoticeError> {
        Ok(Self {
            name: one_line("name", name, Self::NAME_CHARACTERS)?,
            contact: one_line("contact", contact, Self::CONTACT_CHARACTERS)?,
        })
    }

    /// Placeholders for an app without a name, such as "This app", in the language that
    /// [`Notice::bundled`] returns for `language`. For tools; an app has a name.
    ///
    /// # Errors
    /// [`NoticeError::Damaged`].
    pub fn unnamed(language: &str) -> Result<Self, NoticeError> {
        bundled::unnamed(language)
    }

    /// The app's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The contact for a person's questions.
    pub fn contact(&self) -> &str {
        &self.contact
    }
}

/// Why a notice was not made.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// A name or a contact that is empty, or white space only.
    #[error("the app's {field} is empty; the notice has to say it")]
    Empty {
        /// `name` or `contact`.
        field: &'static str,
    },
    /// A name or a contact that is too long.
    #[error("the app's {field} has {characters} characters; at most {most} are allowed")]
    TooLong {
        /// `name` or `contact`.
        field: &'static str,
        /// Its length.
        characters: usize,
        /// The maximum length.
        most: usize,
    },
    /// A name or a contact with a line break, or with a character that reorders the text around it.
    #[error("the app's {field} holds {character:?}, a control character; take it out")]
    Control {
        /// `name` or `contact`.
        field: &'static str,
        /// The first such character.
        character: char,
    },
    /// The validity of consent is out of bounds.
    #[error("consent cannot last {0} days; a plan allows 1 to 366")]
    Days(u32),
    /// The retention period is out of bounds.
    #[error("samples cannot be kept for {0} days; a plan allows 1 to 3650")]
    Retention(u32),
    /// A notice that was compiled in cannot be read: a bug in the SDK.
    #[error("the bundled notice in `{language}` cannot be read: {reason}")]
    Damaged {
        /// Its language.
        language: &'static str,
        /// The problem.
        reason: serde_json::Error,
    },
}

fn one_line(field: &'static str, text: &str, most: usize) -> Result<String, NoticeError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NoticeError::Empty { field });
    }
    let characters = text.chars().count();
    if characters > most {
        return Err(NoticeError::TooLong {
            field,
            characters,
            most,
        });
    }
    match text.chars().find(|&character| is_control(character)) {
        Some(character) => Err(NoticeError::Control { field, character }),
        None => Ok(text.to_owned()),
    }
}

/// Control characters, line and paragraph separators, and the embeddings, overrides and isolates of
/// the Unicode Bidirectional Algorithm (UAX #9, section 2), by which a name could reorder the notice.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        )
}
