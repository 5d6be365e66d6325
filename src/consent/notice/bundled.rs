//! The bundled notices: one data file per language, rendered for one app.
//!
//! The rendering is exact, since it is hashed. Each of the file's texts is one line: `title`,
//! `short`, the `heading` and each of the `paragraphs` of a section, each purpose. The title is a
//! block, so are the short layer, each section (its heading, then its paragraphs, one after the
//! other) and each purpose (in the order of [`Purpose::ALL`]; after a space follows how long its
//! samples are kept, one of the file's two `kept`). The blocks follow one another in this order,
//! with one empty line between two. Lines end in LF, the last one too. It is UTF-8 without a byte
//! order mark. `{app}`, `{contact}`, `{days}` and `{kept}` are substituted once, from left to
//! right; substituted text is not substituted again.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{App, Notice, NoticeError, NoticeTerms, language};
use crate::{Purpose, plan::Plan};

/// The files by language. A missing language falls back to the first.
pub(super) const FILES: [(&str, &str); 9] = [
    ("en", include_str!("../notices/en.json")),
    ("de", include_str!("../notices/de.json")),
    ("fr", include_str!("../notices/fr.json")),
    ("es", include_str!("../notices/es.json")),
    ("it", include_str!("../notices/it.json")),
    ("nl", include_str!("../notices/nl.json")),
    ("pt", include_str!("../notices/pt.json")),
    ("pl", include_str!("../notices/pl.json")),
    ("sv", include_str!("../notices/sv.json")),
];

pub(super) const LANGUAGES: [&str; FILES.len()] = {
    let mut languages = [""; FILES.len()];
    let mut position = 0;
    while position < FILES.len() {
        languages[position] = FILES[position].0;
        position += 1;
    }
    languages
};

/// A bundled notice, rendered for one app: the whole text, and its layers for the app's screens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundledNotice {
    notice: Notice,
    asked: String,
    is_fallback: bool,
    layers: Layers,
}

impl BundledNotice {
    pub(super) fn render(
        version: u32,
        asked: &str,
        app: &App,
        terms: &NoticeTerms,
    ) -> Result<Self, NoticeError> {
        let NoticeTerms {
            consent_days,
            retention_days,
        } = terms;
        if !Plan::CONSENT_DAYS.contains(consent_days) {
            return Err(NoticeError::Days(*consent_days));
        }
        if let Some(&days) =
            (retention_days.values()).find(|days| !Plan::RETENTION_DAYS.contains(days))
        {
            return Err(NoticeError::Retention(days));
        }
        let found = language::lookup(asked, &LANGUAGES);
        let File { layers, kept, .. } = read(given(found))?;
        let days = consent_days.to_string();
        let mut layers = layers.map(|text| {
            fill(text, |placeholder| match placeholder {
                "app" => Some(app.name()),
                "contact" => Some(app.contact()),
                "days" => Some(&days),
                _ => None,
            })
        });
        for purpose in Purpose::ALL {
            let text = layers.purposes.get_mut(purpose);
            text.push(' ');
            match retention_days.get(&purpose) {
                None => text.push_str(&kept.unlimited),
                Some(days) => text.push_str(&kept.limited.replace("{kept}", &days.to_string())),
            }
        }
        Ok(Self {
            notice: Notice::new(version, given(found).0, layers.text()),
            asked: asked.to_owned(),
            is_fallback: found.is_none(),
            layers,
        })
    }

    /// The text that the person consents to, for
    /// [`ConsentResponse::notice`](crate::consent::ConsentResponse::notice).
    pub fn notice(&self) -> &Notice {
        &self.notice
    }

    /// As [`Self::notice`], consuming the layers.
    pub fn into_notice(self) -> Notice {
        self.notice
    }

    /// The requested language, as requested.
    pub fn asked_language(&self) -> &str {
        &self.asked
    }

    /// The language of the notice.
    pub fn language(&self) -> &str {
        self.notice.language()
    }

    /// Both languages, if no bundled language matches the requested one.
    pub fn fallback(&self) -> Option<LanguageFallback> {
        self.is_fallback.then(|| LanguageFallback {
            asked: self.asked.clone(),
            given: self.language().to_owned(),
        })
    }

    /// The full text, which is hashed.
    pub fn text(&self) -> &str {
        self.notice.text()
    }

    /// The question, one line.
    pub fn title(&self) -> &str {
        &self.layers.title
    }

    /// The short layer: three to five sentences, for the screen that asks.
    pub fn short(&self) -> &str {
        &self.layers.short
    }

    /// The full layer, in sections.
    pub fn full(&self) -> &[NoticeSection] {
        &self.layers.full
    }

    /// One purpose and the retention period of its samples, in one paragraph, to show next to its
    /// switch.
    pub fn purpose(&self, purpose: Purpose) -> &str {
        self.layers.purposes.get(purpose)
    }
}

/// A part of a notice's full layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeSection {
    /// The heading, a line without a full stop.
    pub heading: String,
    /// The paragraphs, each on one line.
    pub paragraphs: Vec<String>,
}

/// The requested language is not bundled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageFallback {
    /// The requested language, as requested.
    pub asked: String,
    /// The language used instead.
    pub given: String,
}

impl fmt::Display for LanguageFallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = self.asked.escape_debug();
        write!(
            f,
            "there is no notice in `{asked}`; it is in `{}`",
            self.given
        )
    }
}

pub(super) fn unnamed(asked: &str) -> Result<App, NoticeError> {
    let Unnamed { name, contact } = read(given(language::lookup(asked, &LANGUAGES)))?.unnamed;
    App::new(&name, &contact)
}

/// The file of a language, or the first as fallback.
fn given(language: Option<&str>) -> (&'static str, &'static str) {
    let file = FILES.iter().find(|(name, _)| Some(*name) == language);
    file.copied().unwrap_or(FILES[0])
}

fn read((language, json): (&'static str, &str)) -> Result<File, NoticeError> {
    serde_json::from_str(json).map_err(|reason| NoticeError::Damaged { language, reason })
}

/// A file of `notices/`.
#[derive(Deserialize)]
struct File {
    #[serde(flatten)]
    layers: Layers,
    kept: RetentionTexts,
    unnamed: Unnamed,
}

/// Sentences on how long samples are kept for a purpose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionTexts {
    /// For `{kept}` days.
    limited: String,
    /// Until consent is withdrawn.
    unlimited: String,
}

/// The placeholder for an app without a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unnamed {
    name: String,
    contact: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Layers {
    title: String,
    short: String,
    full: Vec<NoticeSection>,
    purposes: PurposeTexts,
}

/// One member per purpose, so that a bundled file that misses one fails to parse.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PurposeTexts {
    quality_assurance: String,
    recognition_research: String,
}

impl PurposeTexts {
    fn get(&self, purpose: Purpose) -> &str {
        match purpose {
            Purpose::QualityAssurance => &self.quality_assurance,
            Purpose::RecognitionResearch => &self.recognition_research,
        }
    }

    fn get_mut(&mut self, purpose: Purpose) -> &mut String {
        match purpose {
            Purpose::QualityAssurance => &mut self.quality_assurance,
            Purpose::RecognitionResearch => &mut self.recognition_research,
        }
    }
}

impl Layers {
    fn map(self, line: impl Fn(&str) -> String) -> Self {
        let section = |section: NoticeSection| NoticeSection {
            heading: line(&section.heading),
            paragraphs: section.paragraphs.iter().map(|text| line(text)).collect(),
        };
        Self {
            title: line(&self.title),
            short: line(&self.short),
            full: self.full.into_iter().map(section).collect(),
            purposes: PurposeTexts {
                quality_assurance: line(&self.purposes.quality_assurance),
                recognition_research: line(&self.purposes.recognition_research),
            },
        }
    }

    fn text(&self) -> String {
        let sections = self.full.iter().map(|section| {
            let heading = std::iter::once(section.heading.as_str());
            let lines = heading.chain(section.paragraphs.iter().map(String::as_str));
            lines.collect::<Vec<_>>().join("\n")
        });
        let mut blocks = vec![self.title.clone(), self.short.clone()];
        blocks.extend(sections);
        blocks.extend(Purpose::ALL.map(|purpose| self.purposes.get(purpose).to_owned()));
        blocks.join("\n\n") + "\n"
    }
}

/// Substitutes each `{placeholder}` with the value of `of`; an unknown one stays unchanged.
fn fill<'a>(text: &str, of: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        filled.push_str(before);
        let known = from
            .split_once('}')
            .and_then(|(name, after)| of(name).map(|value| (value, after)));
        match known {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = from;
            }
        }
    }
    filled + rest
}
