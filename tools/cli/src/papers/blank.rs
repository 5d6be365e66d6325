//! What only the owner of the app can fill in.

use std::fmt;

/// A place that is left empty, written `[TO FILL: name]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    Controller,
    Contact,
    Officer,
    Representative,
    App,
    Audience,
    AgeOfConsent,
    Hosting,
    Retention,
    Readers,
    Transfers,
    ParentContact,
    ConsentLink,
    PolicyLink,
    Views,
    Decision,
}

impl Blank {
    /// In the order in which papers list them.
    pub(super) const ALL: [Self; 16] = [
        Self::Controller,
        Self::Contact,
        Self::Officer,
        Self::Representative,
        Self::App,
        Self::Audience,
        Self::AgeOfConsent,
        Self::Hosting,
        Self::Retention,
        Self::Readers,
        Self::Transfers,
        Self::ParentContact,
        Self::ConsentLink,
        Self::PolicyLink,
        Self::Views,
        Self::Decision,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Contact => "contact",
            Self::Officer => "data protection officer",
            Self::Representative => "representative",
            Self::App => "app",
            Self::Audience => "audience",
            Self::AgeOfConsent => "age of consent",
            Self::Hosting => "hosting",
            Self::Retention => "retention",
            Self::Readers => "readers",
            Self::Transfers => "transfers",
            Self::ParentContact => "parent's contact",
            Self::ConsentLink => "consent link",
            Self::PolicyLink => "policy link",
            Self::Views => "views of persons concerned",
            Self::Decision => "decision",
        }
    }

    /// What belongs there.
    pub(super) fn asks(self) -> &'static str {
        match self {
            Self::Controller => {
                "name of whoever decides on purposes and means (COPPA: the operator)"
            }
            Self::Contact => "postal address, telephone, and e-mail where none stands there",
            Self::Officer => "name and contact, or why there is none (GDPR art. 37)",
            Self::Representative => {
                "in the Union, for a controller outside it, or \"none needed\" (GDPR art. 27)"
            }
            Self::App => "the app's name",
            Self::Audience => "who uses it: ages, how many, in which countries",
            Self::AgeOfConsent => {
                "below which age a guardian decides, in each country (GDPR art. 8; COPPA: 13)"
            }
            Self::Hosting => {
                "who runs the collector and what stands before it, where, under which contract"
            }
            Self::Retention => {
                "why samples are kept as long as the plan says; after what time records and access log are deleted, \
                 and why then"
            }
            Self::Readers => "who holds the QA key and tokens, and for which purpose",
            Self::Transfers => "to which third countries and on which ground, or \"none\"",
            Self::ParentContact => "how the parent's contact was got and when it is deleted again",
            Self::ConsentLink => "where and how the parent says yes or no",
            Self::PolicyLink => "address of the online notice",
            Self::Views => {
                "whom you asked of those concerned, and what they said (GDPR art. 35(9))"
            }
            Self::Decision => {
                "accepted, accepted on conditions, or refused; by whom; when to look again"
            }
        }
    }
}

impl fmt::Display for Blank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[TO FILL: {}]", self.name())
    }
}
