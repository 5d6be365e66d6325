//! What can go wrong for the person: the risks of a data protection impact assessment.

use super::evidence::Evidence;

/// How likely, or how grave: the scale of the CNIL's PIA method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Hardly possible; no harm worth the name.
    Negligible,
    /// Difficult; some inconvenience.
    Limited,
    /// Possible; grave, to be overcome with effort.
    Significant,
    /// Easy; grave, and may not be overcome.
    Maximum,
}

impl Level {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Limited => "limited",
            Self::Significant => "significant",
            Self::Maximum => "maximum",
        }
    }
}

/// A risk before and after the measures.
#[derive(Clone, Copy, Debug)]
pub struct Risk {
    /// What happens.
    pub name: &'static str,
    /// Who or what brings it about.
    pub sources: &'static str,
    /// What it means for the person.
    pub impact: &'static str,
    /// Likelihood, then severity, of recording a microphone without any of the measures.
    pub before: (Level, Level),
    /// What is done against it.
    pub measures: &'static str,
    /// Likelihood, then severity, with the measures.
    pub after: (Level, Level),
    /// What is left.
    pub residual: &'static str,
    /// Where it can be checked.
    pub evidence: &'static [Evidence],
}

/// Every risk that was thought of. The levels are the authors' estimate, for the controller to confirm.
pub const RISKS: &[Risk] = &[
    Risk {
        name: "Somebody hears what was said at home",
        sources: "a voice that both detectors miss; a reader of samples; a thief with the QA key",
        impact: "private talk, children's voices among it, is heard by strangers",
        before: (Level::Maximum, Level::Significant),
        measures: "voices erased or cut, a second detector, withholding in doubt, seconds instead of hours, \
                   encryption to the QA key, access noted",
        after: (Level::Limited, Level::Limited),
        residual: "words are left in some of the hardest cases; eval/RESULTS.md has the figures. Singing was not \
                   measured",
        evidence: &[
            Evidence::code("eval/RESULTS.md"),
            Evidence::test(
                "dsp/src/tests.rs",
                "nothing_that_the_gate_takes_for_a_voice_is_let_out",
            ),
        ],
    },
    Risk {
        name: "A player is recognized",
        sources: "a reader who knows the player; a match of room or instrument; an exercise tag that one class has",
        impact: "how well somebody plays, and what, becomes known",
        before: (Level::Significant, Level::Limited),
        measures: "no name, device, locale or clock time; fingerprints of device and mains taken out; a record id \
                   that is new with each consent",
        after: (Level::Limited, Level::Limited),
        residual: "room, instrument and manner of playing stay; one record's samples are tied together by design",
        evidence: &[
            Evidence::test(
                "dsp/src/attacks/floor.rs",
                "a_device_is_known_by_its_floor_in_raw_clips_and_not_in_anonymous_ones",
            ),
            Evidence::test(
                "src/seal/seal_tests.rs",
                "nothing_in_the_archive_points_to_a_device",
            ),
        ],
    },
    Risk {
        name: "Sound is taken without consent, or against it",
        sources: "an error in the app; a race; a clock that is wrong; a state folder that is restored from a backup; a \
                  child that says yes alone",
        impact: "loss of control over one's own sound",
        before: (Level::Significant, Level::Significant),
        measures: "a grant as a type that only the consent store makes; a lease that dies in every thread; rows of \
                   the store that no changed byte turns into a yes; a guardian for a child; expiry by a steady time; the \
                   state folder left out of backups; the collector asked whether consent holds before the first sample \
                   of each run of the app",
        after: (Level::Negligible, Level::Significant),
        residual: "an app that means harm has the microphone without Sordino; a restored state folder has forgotten a \
                   withdrawal that no collector had acknowledged; how a guardian is verified, and that somebody is an \
                   adult, is the app's to make sure of",
        evidence: &[
            Evidence::test(
                "src/engine/tests/model.rs",
                "whatever_happens_nothing_goes_without_a_yes_and_a_no_reaches_everywhere",
            ),
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "no_changed_byte_of_a_store_grants_more_than_was_said",
            ),
            Evidence::test(
                "src/consent/races.rs",
                "in_no_order_does_a_grant_outlive_a_withdrawal",
            ),
            Evidence::test(
                "src/upload/tests.rs",
                "the_first_sample_of_a_process_goes_after_its_record_was_confirmed",
            ),
            Evidence::test(
                "tests/sdk/compile_fail.rs",
                "what_breaks_the_promise_does_not_compile_and_for_that_reason_only",
            ),
        ],
    },
    Risk {
        name: "Stored samples come into wrong hands",
        sources: "a thief of the collector's disk, of a backup, of a phone, of the QA key; a curious operator",
        impact: "seconds of playing, and with the key their sound",
        before: (Level::Significant, Level::Significant),
        measures: "encryption on the device; no key at the collector; padded sizes; tokens as hashes; no address kept",
        after: (Level::Limited, Level::Limited),
        residual: "whoever has both the QA key and the ciphertext hears all that is held; keys are not kept in the \
                   phone's keystore",
        evidence: &[
            Evidence::test(
                "src/seal/age/reader_tests.rs",
                "each_of_several_recipients_opens_and_nobody_else",
            ),
            Evidence::code("docs/threat-model.md"),
        ],
    },
    Risk {
        name: "Samples are used for something else, or passed on",
        sources: "a holder of the QA key; an organization that changes its mind",
        impact: "a use that nobody agreed to",
        before: (Level::Significant, Level::Significant),
        measures: "purposes stand in the sample, in each request and in each token; each hand-out is noted in a log \
                   chained by hashes; each record forbids third parties; a new notice is a new question",
        after: (Level::Limited, Level::Significant),
        residual: "purposes are kept apart by the collector, not by keys; whoever has both the collector's files and \
                   the QA key reads past the log; what is done after opening is the owner's to rule",
        evidence: &[
            Evidence::test(
                "tools/collector/tests/collector/tools.rs",
                "a_token_is_good_for_its_purposes_alone",
            ),
            Evidence::test(
                "tools/cli/tests/cli/commands/audit.rs",
                "a_collector_that_writes_its_log_anew_is_found_by_who_kept_the_log",
            ),
            Evidence::test("src/consent/tests.rs", "a_new_notice_is_a_new_question"),
        ],
    },
    Risk {
        name: "A no does not reach every copy",
        sources: "no network; a crash; a full disk; a damaged store; another collector than before; a collector or a \
                  device that is restored from a backup; an app that is removed; a pulled dataset; a backup",
        impact: "sound stays that somebody took back",
        before: (Level::Significant, Level::Limited),
        measures: "a withdrawal is durable first, beside the store; it is sent to each collector that was told of the \
                   record and repeated until acknowledged, after a reset too, and once more to a collector whose \
                   database was restored; the collector deletes and tells every puller, also one whose token has \
                   expired; late uploads are refused; for a person without the device the operator withdraws the \
                   record that the receipt names",
        after: (Level::Limited, Level::Limited),
        residual: "a dataset is cleaned when it is next pulled; copies out of it, trained models and backups are the \
                   owner's to clean. A person who has neither the device nor the receipt cannot be found: what was sent \
                   then goes when the days of the plan's retention have passed, if it sets any. A restored database \
                   lacks the withdrawals of devices that never connect again",
        evidence: &[
            Evidence::test(
                "tools/cli/tests/cli/withdrawal.rs",
                "withdrawn_while_offline_then_killed_then_online_it_is_gone_from_everywhere",
            ),
            Evidence::test(
                "src/engine/tests/model.rs",
                "nor_does_it_through_crashes_at_any_write",
            ),
            Evidence::test(
                "src/engine/tests/faults.rs",
                "on_a_full_disk_a_no_still_ends_everything_at_once_and_is_durable_in_the_end",
            ),
            Evidence::test(
                "src/upload/tests.rs",
                "another_epoch_has_every_no_said_again",
            ),
            Evidence::test(
                "tools/collector/tests/collector/epochs.rs",
                "somebody_who_has_only_the_receipt_can_be_withdrawn_by_the_operator",
            ),
        ],
    },
    Risk {
        name: "Samples are changed or lost",
        sources: "a damaged disk; somebody on the way; a false sender",
        impact: "hardly anything: nothing depends on a sample",
        before: (Level::Limited, Level::Negligible),
        measures: "authenticated encryption, digests, signatures, whole files or none",
        after: (Level::Negligible, Level::Negligible),
        residual: "anybody can register records, and send as many samples under each as the plan's budgets allow: readers \
                   have to recognize a poisoned dataset",
        evidence: &[Evidence::test(
            "src/seal/seal_tests.rs",
            "any_byte_changed_keeps_the_sample_shut",
        )],
    },
    Risk {
        name: "The network learns who uses the app, and when",
        sources: "an internet provider; whoever ends TLS before the collector",
        impact: "an address, and that it sends to this collector",
        before: (Level::Significant, Level::Negligible),
        measures: "TLS; no user agent; padded sizes; a collector that keeps no address",
        after: (Level::Significant, Level::Negligible),
        residual: "an address cannot be hidden by a client that sends at all; a proxy's log is the owner's to \
                   switch off",
        evidence: &[
            Evidence::test(
                "tools/collector/tests/collector/traces.rs",
                "neither_address_nor_user_agent_nor_time_is_written_anywhere_in_any_spelling",
            ),
            Evidence::code("src/upload/client.rs"),
        ],
    },
];
