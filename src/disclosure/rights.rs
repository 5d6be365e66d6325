//! The person's rights.

use super::{evidence::Evidence, record};

/// A right of the person, and how it is used.
#[derive(Clone, Copy, Debug)]
pub struct Right {
    /// Its name.
    pub name: &'static str,
    /// Its name in a consent record; none where records do not state it.
    pub identifier: Option<&'static str>,
    /// Where it stands in law.
    pub source: &'static str,
    /// What the person can do; consent records say it too.
    pub gives: &'static str,
    /// By what means, and where that ends.
    pub how: &'static str,
    /// Where it can be checked.
    pub evidence: &'static [Evidence],
}

/// Every right.
pub const RIGHTS: &[Right] = &[
    INFORMATION,
    WITHDRAWAL,
    ACCESS,
    RECTIFICATION,
    ERASURE,
    RESTRICTION,
    PORTABILITY,
    NO_AUTOMATED_DECISION,
];

const INFORMATION: Right = Right {
    name: "To be informed",
    identifier: None,
    source: "GDPR arts. 12, 13; 16 CFR 312.4",
    gives: "To read, before the answer and after it, the very text that was agreed to.",
    how: "Notices come in nine languages and in layers. The record names the text by version, language and \
          hash, and the device keeps the text beside it.",
    evidence: &[
        Evidence::test(
            "src/consent/notice/tests.rs",
            "a_twelve_year_old_can_read_every_notice",
        ),
        Evidence::test(
            "tools/cli/tests/cli/commands/receipts.rs",
            "the_text_that_was_agreed_to_is_told_from_any_other",
        ),
    ],
};

const WITHDRAWAL: Right = Right {
    name: "To take consent back",
    identifier: None,
    source: "GDPR art. 7(3); 16 CFR 312.6(a)(2)",
    gives: record::WITHDRAWAL,
    how: "One call, `withdraw`, which reaches each collector that was told of the record. Where the state is damaged, \
          `reset` withdraws all of it. Without the device the owner withdraws the record that the receipt names, by \
          `sordino-collector withdraw`.",
    evidence: &[
        Evidence::test(
            "src/engine/tests/mod.rs",
            "a_no_is_taken_in_every_state_and_twice",
        ),
        Evidence::test(
            "src/engine/tests/crashes.rs",
            "a_no_is_whole_or_not_said_and_holds_once_it_was_taken",
        ),
    ],
};

pub(super) const ACCESS: Right = Right {
    name: "Access",
    identifier: Some("access"),
    source: "GDPR art. 15; 16 CFR 312.6(a)(1), (3)",
    gives: "To see every sample, its week and what became of it, and who opened it.",
    how: "`samples`, `accesses`, and `export_my_data` for all that the device holds. The sound itself only \
          holders of the QA key can produce; they find it by the record's id, which the person's receipt names.",
    evidence: &[
        Evidence::test(
            "tools/cli/tests/cli/commands/device.rs",
            "the_person_sees_every_sample_and_deletes_one",
        ),
        Evidence::test(
            "tools/collector/tests/collector/audit.rs",
            "the_person_finds_each_access_in_the_published_log",
        ),
    ],
};

pub(super) const RECTIFICATION: Right = Right {
    name: "Rectification",
    identifier: Some("rectification"),
    source: "GDPR art. 16",
    gives: "To answer anew: a new record takes the place of this one.",
    how: "Purposes and age band by a new answer, coming of age by `come_of_age`. A recording is what it is: it \
          is deleted instead.",
    evidence: &[
        Evidence::test(
            "src/consent/tests.rs",
            "a_purpose_more_is_a_revision_and_a_childs_guardian_must_approve_of_it",
        ),
        Evidence::test(
            "src/consent/tests.rs",
            "a_child_that_comes_of_age_is_asked_anew_and_grants_nothing_until_then",
        ),
    ],
};

pub(super) const ERASURE: Right = Right {
    name: "Erasure",
    identifier: Some("erasure"),
    source: "GDPR art. 17; 16 CFR 312.6(a)(2)",
    gives: "To have one sample deleted, or all of them.",
    how: "`delete` for one, `delete_all` for all while consent stays, `withdraw` for both. The ids stay, so that \
          no late upload comes back. Without the device: as for consent.",
    evidence: &[
        Evidence::test(
            "src/engine/tests/crashes.rs",
            "a_deletion_is_whole_or_not_asked",
        ),
        Evidence::test(
            "src/engine/tests/tampering.rs",
            "deleting_all_leaves_consent_and_no_sample",
        ),
        Evidence::test(
            "tools/collector/tests/collector/samples.rs",
            "a_deleted_id_stays_deleted_known_or_not",
        ),
    ],
};

const RESTRICTION: Right = Right {
    name: "Restriction",
    identifier: None,
    source: "GDPR art. 18",
    gives: "To stop one use and leave the other, by taking that purpose back.",
    how: "The collector hands the sample out for the purpose that is left, and pulls remove it for the other. \
          To stop both and keep the sample is the owner's procedure.",
    evidence: &[Evidence::test(
        "tools/cli/tests/cli/withdrawal.rs",
        "a_purpose_that_is_taken_back_is_gone_from_what_was_pulled_for_another",
    )],
};

const PORTABILITY: Right = Right {
    name: "Portability",
    identifier: None,
    source: "GDPR art. 20",
    gives: "To take along, as one zip of JSON and text, every receipt, the texts agreed to and the list of \
            samples.",
    how: "`export_my_data`. Receipts are JSON-LD that anybody can verify. The sound by the owner's procedure, \
          as for access.",
    evidence: &[
        Evidence::code("src/engine/export.rs"),
        Evidence::test(
            "src/consent/document/tests/oracle.rs",
            "python_verifies_a_receipt_and_refuses_a_changed_one",
        ),
    ],
};

const NO_AUTOMATED_DECISION: Right = Right {
    name: "No automated decision",
    identifier: None,
    source: "GDPR art. 22",
    gives: "Nothing is decided about a person.",
    how: "",
    evidence: &[],
};
