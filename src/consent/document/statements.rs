//! The statements of every consent record besides the response: what is processed, how, where, for how long, and what the
//! person can do about it.
//!
//! Terms are those of the Data Privacy Vocabulary, version 2 (<https://w3id.org/dpv>), and of its extension for
//! personal data (<https://w3id.org/dpv/pd>). A term or an identifier, and their number, is part of the record's
//! shape: to change one, raise `Record::SCHEMA`. A description may change without a new schema, but people have
//! agreed to these words, so it does not change for style. `compliance/facts/*.toml` repeat the descriptions, and
//! a test of the CLI compares them.

// words: off

use crate::purpose::Purpose;

/// A term with a description.
pub(super) struct Statement {
    pub(super) identifier: &'static str,
    /// The term of the vocabulary that it is a case of.
    pub(super) term: &'static str,
    pub(super) description: &'static str,
}

/// The description of `purpose`.
pub(super) const fn purpose(purpose: Purpose) -> Statement {
    match purpose {
        Purpose::QualityAssurance => Statement {
            identifier: purpose.as_str(),
            term: "dpv:RepairImpairments",
            description: "People listen to moments in which the app may have heard wrong, to find out why and \
                          to mend it.",
        },
        Purpose::RecognitionResearch => Statement {
            identifier: purpose.as_str(),
            term: "dpv:ResearchAndDevelopment",
            description: "Moments are gathered to measure how well computers recognise played music, and to \
                          make them better at it, by research and by training.",
        },
    }
}

/// The categories of personal data.
pub(super) const PERSONAL_DATA: [Statement; 4] = [
    Statement {
        identifier: "sound",
        term: "pd:Behavioral",
        description: "Short moments of playing, 2 to 30 seconds each, mono, 16 kHz. Voices that are found and \
                      marks of the device are taken out on the device; where that is in doubt, the moment is \
                      not kept. A voice may be missed.",
    },
    Statement {
        identifier: "annotation",
        term: "pd:ServiceConsumptionBehavior",
        description: "What the app knows of such a moment: the exercise, the notes that it asks for, the notes \
                      that were recognised, and why the moment was chosen.",
    },
    Statement {
        identifier: "technical",
        term: "pd:DeviceSoftware",
        description: "Random ids of the sample and of the consent record, the purposes, the notice's version, \
                      the week, sample rates, where something was taken out, the SDK's version and settings, \
                      the family of the platform. No model, id, language or place of the device, and no time \
                      but the week.",
    },
    Statement {
        identifier: "record",
        term: "pd:AgeRange",
        description: "The answer, under a random id and with a key of its own: the purposes, the notice by \
                      version, language and hash, the controller, the weeks, the age as adult, child or \
                      unknown, how a guardian approved, and a hash of the app's evidence for that. No name, \
                      address or birth date of a person.",
    },
];

/// The rights of the data subject besides withdrawal, by identifier and description.
pub(super) const RIGHTS: [(&str, &str); 3] = [
    (
        "access",
        "To see every sample, its week and what became of it, and who opened it.",
    ),
    (
        "rectification",
        "To answer anew: a new record takes the place of this one.",
    ),
    ("erasure", "To have one sample deleted, or all of them."),
];

/// The processing of the data, as terms.
pub(super) const PROCESSING: [&str; 7] = [
    "dpv:Collect",
    "dpv:Filter",
    "dpv:Pseudonymise",
    "dpv:Store",
    "dpv:Transfer",
    "dpv:Analyse",
    "dpv:Erase",
];

/// The source of the data.
pub(super) const SOURCE: &str = "The device's microphone, while the app listens to a person play and consent \
                                 stands. The sound itself stays in the device's memory.";

/// The locations of the data, as terms.
pub(super) const LOCATIONS: [&str; 2] = ["dpv:WithinDevice", "dpv:RemoteLocation"];

/// The retention of samples.
pub(super) const RETENTION: &str = "Until consent is withdrawn, the sample is deleted, or the days have passed \
                                    that the plan in force sets for the purpose, if it sets any. What still \
                                    waits on the device goes when consent runs out, too.";

/// The deletion of samples.
pub(super) const DELETION: &str = "What waits on the device is shredded at once. The collector is asked to \
                                   delete until it says that it has, and its readers remove their copies the \
                                   next time that they pull.";

/// The recipients of samples.
pub(super) const RECIPIENTS: &str = "People of the controller who hold a key that opens the samples and a token \
                                     for the purpose. Each time is written down.";

/// The statement on third parties.
pub(super) const NO_THIRD_PARTY: &str = "Nothing goes to a third party, and nothing is sold.";

/// The ways to withdraw consent.
pub(super) const WITHDRAWAL: &str = "At any time, as a whole or for one purpose, without a reason and without a \
                                     network.";

/// The place where consent is withdrawn and the other rights are exercised.
pub(super) const EXERCISED_AT: &str = "in the app";
