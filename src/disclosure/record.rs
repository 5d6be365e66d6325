//! What each consent record states beside the answer itself: what is processed, how, where, for how
//! long, and what the person can do about it.
//!
//! Kinds of data, purposes and rights are rows of [`CATEGORIES`], [`PURPOSES`](super::PURPOSES) and [`RIGHTS`],
//! from which papers are written too; what is one fact for all of them stands here.
//!
//! Terms are those of the W3C community's Data Privacy Vocabulary, version 2
//! (<https://w3id.org/dpv>), and of its extension for personal data (<https://w3id.org/dpv/pd>).
//! A description may be put better at any time. A term or an identifier, and how many there are of them,
//! is part of the record's shape: whoever changes one raises `Record::SCHEMA`.

use super::{CATEGORIES, Category, RIGHTS, Right, StatedCategory};

/// The kinds of data that are held under a record.
pub fn categories() -> impl Iterator<Item = (StatedCategory, &'static Category)> {
    CATEGORIES
        .iter()
        .filter_map(|category| Some((category.stated?, category)))
}

/// What the person can ask for beside withdrawal, each with its name in a record.
pub fn rights() -> impl Iterator<Item = (&'static str, &'static Right)> {
    RIGHTS
        .iter()
        .filter_map(|right| Some((right.identifier?, right)))
}

/// What is done with the data, as terms.
pub const PROCESSING: [&str; 7] = [
    "dpv:Collect",
    "dpv:Filter",
    "dpv:Pseudonymise",
    "dpv:Store",
    "dpv:Transfer",
    "dpv:Analyse",
    "dpv:Erase",
];

/// How the data is collected.
pub const SOURCE: &str = "The device's microphone, while the app listens to a person play and \
                          consent stands. The sound itself stays in the device's memory.";

/// Where the data is stored, as terms.
pub const LOCATIONS: [&str; 2] = ["dpv:WithinDevice", "dpv:RemoteLocation"];

/// How long samples are stored.
pub const RETENTION: &str = "Until consent is withdrawn, the sample is deleted, or the days have passed that \
                             the plan in force sets for the purpose, if it sets any. What still waits on the device goes when consent runs out, too.";

/// What becomes of them then.
pub const DELETION: &str = "What waits on the device is shredded at once. The collector is asked to \
                            delete until it says that it has, and its readers remove their copies the \
                            next time that they pull.";

/// Who receives samples.
pub const RECIPIENTS: &str = "People of the controller who hold a key that opens the samples and a \
                              token for the purpose. Each time is written down.";

/// Who does not.
pub const NO_THIRD_PARTY: &str = "Nothing goes to a third party, and nothing is sold.";

/// How consent is withdrawn.
pub const WITHDRAWAL: &str = "At any time, as a whole or for one purpose, without a reason and \
                              without a network.";

/// Where it is withdrawn, and the other rights are used.
pub const WITHDRAWAL_PLACE: &str = "in the app";
