//! The rule under the Children's Online Privacy Protection Act, 16 CFR part 312.
//!
//! As amended on 22 April 2025 (90 FR 16918), to be complied with since 22 April 2026.

use super::{Article, Duty, Evidence};

/// Its sections, in their order, as far as they touch Sordino.
pub const COPPA_RULE: &[Article] = &[
    Article {
        number: "312.2",
        asks: "personal information: among others an audio file with a child's voice, a biometric identifier such as a \
               voiceprint, a persistent identifier that recognizes a user over time and across services",
        met: "voices are taken out and no voiceprint is made; a record's id is one collector's and ends with the \
              consent. A voice can be missed, so Sordino treats every sample as personal information",
        left: "to treat it so too",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("dsp/src/gate.rs"),
            Evidence::test(
                "dsp/src/tests.rs",
                "nothing_that_the_gate_takes_for_a_voice_is_let_out",
            ),
        ],
    },
    Article {
        number: "312.3",
        asks: "notice, consent, review, no conditioning, security",
        met: "see the sections below",
        left: "whether the app is directed to children, or knows that it has them",
        duty: Duty::Shared,
        evidence: &[],
    },
    Article {
        number: "312.4",
        asks: "a direct notice to the parent before consent; a notice online with the retention policy",
        met: "coppa-notice.md is a draft of both",
        left: "to complete it, to send it, to post it",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("docs/papers/coppa-notice.md"),
            Evidence::test(
                "tools/cli/tests/cli/papers.rs",
                "the_papers_in_docs_are_current",
            ),
        ],
    },
    Article {
        number: "312.5(a)",
        asks: "verifiable parental consent before any collection; a material change is asked anew; consent to \
               collection without consent to disclosure",
        met: "nothing is even sampled before the approval; a new notice version outdates the consent; each record \
              states that nothing goes to a third party",
        left: "to keep to that: giving samples to a third party would be another consent, which Sordino does not ask for",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/machine.rs"),
            Evidence::test(
                "tools/cli/tests/cli/consent_on_the_wire.rs",
                "a_child_sends_nothing_before_the_guardian_approves_and_only_the_no_after_withdrawing",
            ),
            Evidence::test("src/consent/tests.rs", "a_new_notice_is_a_new_question"),
        ],
    },
    Article {
        number: "312.5(b)(2)",
        asks: "a method that makes sure it is the parent: signed form, payment with notice, toll-free call, video \
               conference, government ID, knowledge-based questions, face match with photo ID; e-mail plus and \
               text plus only where nothing is disclosed",
        met: "the record names which of the nine was used, in which week, and a hash of what the app can show for it, \
              salted with the record's id",
        left: "the verification; to keep the evidence, or not; to use e-mail plus and text plus only while no third \
               party gets samples",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/guardian.rs"),
            Evidence::test(
                "src/consent/guardian.rs",
                "the_same_evidence_leaves_another_hash_in_each_record",
            ),
            Evidence::test(
                "tools/cli/tests/cli/commands/consent.rs",
                "a_guardians_yes_is_recorded_with_its_method_in_the_same_record",
            ),
        ],
    },
    Article {
        number: "312.6",
        asks: "a parent can see what kinds are collected, review it, refuse more, have it deleted",
        met: "list, accesses, a zip of all that the device holds, delete one, delete all and withdraw, on the child's \
              device",
        left: "to make sure that it is the parent who asks; to produce the sound; to withdraw at the \
               collector for a parent who has the receipt and not the device, by `sordino-collector withdraw RECORD`",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/engine/export.rs"),
            Evidence::test(
                "tools/cli/tests/cli/commands/device.rs",
                "the_person_sees_every_sample_and_deletes_one",
            ),
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "deleting_all_leaves_consent_and_no_sample",
            ),
        ],
    },
    Article {
        number: "312.7",
        asks: "no activity made conditional on more data than it needs",
        met: "capture works the same without consent",
        left: "no prize for a yes",
        duty: Duty::Shared,
        evidence: &[Evidence::test(
            "src/engine/tests/mod.rs",
            "without_consent_an_offered_clip_is_withheld_and_nothing_is_due",
        )],
    },
    Article {
        number: "312.8",
        asks: "reasonable security, with a written program; assurances from whoever else gets the data",
        met: "as GDPR art. 32",
        left: "the program, its coordinator, its yearly assessment",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("docs/threat-model.md"),
            Evidence::test(
                "tools/collector/tests/collector/traces.rs",
                "neither_address_nor_user_agent_nor_time_is_written_anywhere_in_any_spelling",
            ),
        ],
    },
    Article {
        number: "312.10",
        asks: "kept only as long as needed, never indefinitely; a written retention policy in the online notice",
        met: "consent ends after at most 366 days; the collector deletes samples once the plan's days for their purpose \
              have passed; deletion reaches device, collector and pulled datasets",
        left: "the policy, and to set its time limit, `retention_days`: without it samples are held until they are \
               withdrawn or deleted",
        duty: Duty::Shared,
        evidence: &[
            Evidence::test(
                "tools/cli/tests/cli/commands/consent.rs",
                "consent_runs_out_after_the_days_that_the_plan_names",
            ),
            Evidence::test(
                "tools/collector/tests/collector/samples.rs",
                "a_sample_under_a_consent_that_has_ended_is_refused",
            ),
        ],
    },
];
