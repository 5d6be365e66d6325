//! The purposes of samples. A person consents to each separately.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A purpose that a person can consent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Finding out why the app's recognizer made a mistake.
    QualityAssurance,
    /// Improving acoustic recognition.
    RecognitionResearch,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 2] = [Self::QualityAssurance, Self::RecognitionResearch];

    /// The name in files, requests and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QualityAssurance => "quality-assurance",
            Self::RecognitionResearch => "recognition-research",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Purpose {
    type Err = ParsePurposeError;

    fn from_str(name: &str) -> Result<Self, ParsePurposeError> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
            .ok_or_else(|| ParsePurposeError(name.to_owned()))
    }
}

/// The name is not a purpose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown purpose `{0}`: expected `quality-assurance` or `recognition-research`")]
pub struct ParsePurposeError(pub String);

/// A set of purposes, in their fixed order. Written as a JSON array, or as a comma-separated list.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purposes(BTreeSet<Purpose>);

impl Purposes {
    /// All purposes.
    pub fn all() -> Self {
        Self::from_iter(Purpose::ALL)
    }

    /// Whether the set contains `purpose`.
    pub fn contains(&self, purpose: Purpose) -> bool {
        self.0.contains(&purpose)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of purposes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The purposes in their fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Purpose> + '_ {
        self.0.iter().copied()
    }

    /// Whether every purpose is also in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The union with `other`.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).copied().collect())
    }

    /// The intersection with `other`.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// The difference from `other`.
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }
}

impl FromIterator<Purpose> for Purposes {
    fn from_iter<I: IntoIterator<Item = Purpose>>(purposes: I) -> Self {
        Self(purposes.into_iter().collect())
    }
}

impl From<Purpose> for Purposes {
    fn from(purpose: Purpose) -> Self {
        Self::from_iter([purpose])
    }
}

impl fmt::Display for Purposes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, purpose) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{purpose}")?;
        }
        Ok(())
    }
}

impl FromStr for Purposes {
    type Err = ParsePurposeError;

    fn from_str(list: &str) -> Result<Self, ParsePurposeError> {
        list.split(',').map(|name| name.trim().parse()).collect()
    }
}
