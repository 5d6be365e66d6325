//! What law asks, where the code meets it, and which test shows it.
//!
//! In the authors' words; the texts themselves rule.

mod coppa;
mod gdpr;

use super::evidence::Evidence;

pub use coppa::COPPA_RULE;
pub use gdpr::GDPR;

/// One thing that law asks.
#[derive(Clone, Copy, Debug)]
pub struct Article {
    /// Which article or section.
    pub number: &'static str,
    /// What it asks, as far as it touches Sordino.
    pub asks: &'static str,
    /// How the code meets it.
    pub met: &'static str,
    /// What is left to the owner of the app; empty where nothing is.
    pub left: &'static str,
    /// Who has to see to it.
    pub duty: Duty,
    /// Where the code meets it, and which test shows it.
    pub evidence: &'static [Evidence],
}

/// Who has to see to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// The code does it.
    Code,
    /// The code does a part, the owner of the app the rest.
    Shared,
    /// The owner of the app.
    Owner,
}
