//! The General Data Protection Regulation, Regulation (EU) 2016/679.

use super::{Article, Duty, Evidence};

/// Its articles, in their order, as far as they touch Sordino.
pub const GDPR: &[Article] = &[
    Article {
        number: "art. 4(11)",
        asks: "consent is freely given, specific, informed, unambiguous, by a clear act",
        met: "each purpose is named by itself; there is no yes by default; silence is `none`",
        left: "that the question is fair, and a refusal costs nothing in the app",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/machine.rs"),
            Evidence::test(
                "src/consent/tests.rs",
                "what_was_not_asked_is_not_consented_to",
            ),
            Evidence::test(
                "src/consent/machine.rs",
                "only_a_yes_leads_to_a_standing_one",
            ),
        ],
    },
    Article {
        number: "art. 5(1)(a)",
        asks: "lawfulness, fairness, transparency",
        met: "nothing without a grant; what leaves the device is listed byte by byte, and a test reads the traffic",
        left: "to show the notice; to state transfers",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/disclosure/wire.rs"),
            Evidence::test(
                "tools/cli/tests/cli/on_the_wire/mod.rs",
                "a_device_sends_nothing_that_is_not_on_the_list",
            ),
        ],
    },
    Article {
        number: "art. 5(1)(b)",
        asks: "purpose limitation",
        met: "a grant is bound to its purpose by type; purposes stand in record, sample, request and token; nothing \
              is handed out for another",
        left: "what readers do after they opened a sample",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("tests/compile_fail/grant_of_one_purpose_is_none_of_the_other.rs"),
            Evidence::test(
                "tools/collector/tests/collector/tools.rs",
                "a_token_is_good_for_its_purposes_alone",
            ),
        ],
    },
    Article {
        number: "art. 5(1)(c)",
        asks: "data minimization",
        met: "2 to 30 s, a daily budget, voices and fingerprints taken out, no field for a name, device or clock time",
        left: "a plan that asks for no more than is looked at",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/plan/mod.rs"),
            Evidence::test(
                "src/seal/manifest_tests.rs",
                "a_manifest_holds_these_members_and_no_other",
            ),
        ],
    },
    Article {
        number: "art. 5(1)(d)",
        asks: "accuracy",
        met: "a record is signed and has revisions; an older one never replaces a newer one; a changed one is none",
        left: "",
        duty: Duty::Code,
        evidence: &[
            Evidence::code("src/consent/record.rs"),
            Evidence::test(
                "tools/collector/tests/collector/consents.rs",
                "a_revision_never_goes_back",
            ),
        ],
    },
    Article {
        number: "art. 5(1)(e)",
        asks: "storage limitation",
        met: "a yes ends after the plan's days, at most 366; the collector takes nothing after it, and deletes samples \
              once the plan's days for their purpose have passed",
        left: "to set those days, `retention_days`: without them what was sent is kept until it is withdrawn or deleted",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/store.rs"),
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
    Article {
        number: "art. 5(1)(f)",
        asks: "integrity and confidentiality",
        met: "see art. 32",
        left: "the QA key, the tokens, the machines",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/seal/mod.rs"),
            Evidence::test(
                "src/seal/age/reader_tests.rs",
                "a_file_with_any_byte_changed_is_refused",
            ),
        ],
    },
    Article {
        number: "art. 5(2)",
        asks: "accountability",
        met: "a signed receipt for each yes, a chained log of hand-outs with a public head, and these papers",
        left: "to keep them, and heads of the log, and to be the one who answers",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("docs/consent-record.schema.json"),
            Evidence::test(
                "tools/cli/tests/cli/commands/audit.rs",
                "an_edit_a_removal_a_swap_an_insertion_and_a_cut_are_told_in_one_line",
            ),
        ],
    },
    Article {
        number: "art. 6(1)(a)",
        asks: "consent for each purpose",
        met: "sealing, queueing and sending each take a grant for the purpose, and ask it again",
        left: "",
        duty: Duty::Code,
        evidence: &[
            Evidence::code("src/consent/grant.rs"),
            Evidence::test(
                "src/seal/seal_tests.rs",
                "nothing_is_sealed_after_a_withdrawal",
            ),
            Evidence::test(
                "src/consent/races.rs",
                "in_no_order_does_a_grant_outlive_a_withdrawal",
            ),
            Evidence::test(
                "tests/sdk/compile_fail.rs",
                "what_breaks_the_promise_does_not_compile_and_for_that_reason_only",
            ),
        ],
    },
    Article {
        number: "art. 7(1)",
        asks: "to be able to show that the person consented",
        met: "the record: purposes, controller, text by version, language and hash, weeks, the guardian's method and \
              evidence hash; signed, verified by anybody offline; the device keeps the text beside it",
        left: "to keep the texts, and the guardian's evidence; who the person is, if that has to be shown: the \
               record names nobody",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/document.rs"),
            Evidence::test(
                "src/consent/document/tests.rs",
                "each_byte_that_is_changed_is_refused_or_means_the_same",
            ),
            Evidence::test(
                "tools/cli/tests/cli/commands/receipts.rs",
                "the_text_that_was_agreed_to_is_told_from_any_other",
            ),
        ],
    },
    Article {
        number: "art. 7(2)",
        asks: "a request for consent that stands apart, in plain language",
        met: "a notice of its own comes with the SDK, each purpose with a paragraph of its own; it is not a part of \
              other terms",
        left: "where and how it is shown",
        duty: Duty::Shared,
        evidence: &[Evidence::test(
            "src/consent/notice/tests.rs",
            "every_language_says_the_same_things_in_the_same_places",
        )],
    },
    Article {
        number: "art. 7(3)",
        asks: "withdrawal at any time, as easy as consent",
        met: "one call from any state, offline, with a full disk, in a crash at any write, out of a damaged store, \
              after a reset",
        left: "a button that is as easy to find as the yes",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/withdrawal.rs"),
            Evidence::test(
                "src/consent/machine.rs",
                "a_no_and_a_new_yes_are_taken_in_every_state",
            ),
            Evidence::test(
                "src/engine/tests/crashes.rs",
                "a_no_is_whole_or_not_said_and_holds_once_it_was_taken",
            ),
            Evidence::test(
                "src/engine/tests/faults.rs",
                "on_a_full_disk_a_no_still_ends_everything_at_once_and_is_durable_in_the_end",
            ),
        ],
    },
    Article {
        number: "art. 7(4)",
        asks: "no service made conditional on needless consent",
        met: "capture for the recognizer works the same without consent",
        left: "that the app does not reward a yes",
        duty: Duty::Shared,
        evidence: &[Evidence::test(
            "src/engine/tests/mod.rs",
            "without_consent_an_offered_clip_is_withheld_and_nothing_is_due",
        )],
    },
    Article {
        number: "art. 8",
        asks: "a guardian's consent below 16 (13 to 16 by member state), with reasonable efforts to verify it",
        met: "a child, and whoever may be one, grants nothing before a guardian approved; method, week and a salted \
              hash of the evidence are recorded; who comes of age is asked anew",
        left: "which age counts, the verification itself, and to say who came of age (`come_of_age`)",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/guardian.rs"),
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "no_changed_byte_of_a_store_stands_in_for_a_guardian",
            ),
            Evidence::test(
                "src/consent/tests.rs",
                "a_child_that_comes_of_age_is_asked_anew_and_grants_nothing_until_then",
            ),
            Evidence::test(
                "tools/collector/tests/collector/consents.rs",
                "a_child_is_registered_only_with_a_guardians_approval",
            ),
        ],
    },
    Article {
        number: "art. 12",
        asks: "information that is concise and clear, to a child above all",
        met: "notices in nine languages and in layers, meant to be read at twelve and measured by formulas; no child \
              and no native speaker has tried them",
        left: "other languages, layout, a trial; answers within a month",
        duty: Duty::Shared,
        evidence: &[Evidence::test(
            "src/consent/notice/tests.rs",
            "a_twelve_year_old_can_read_every_notice",
        )],
    },
    Article {
        number: "art. 13",
        asks: "who, why, on which ground, to whom, how long, which rights",
        met: "the notice says what is done, for what, on consent, for how long, who gets it, how to say no, whom to ask \
              and that one may complain; the receipt names the controller as the plan does",
        left: "transfers, the data protection officer, which authority; the rights that the notice does not \
               name: rectification, restriction, portability",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/notices/en.json"),
            Evidence::test(
                "src/consent/notice/tests.rs",
                "every_language_says_the_same_things_in_the_same_places",
            ),
        ],
    },
    Article {
        number: "art. 15",
        asks: "access to the data, its purposes and its recipients",
        met: "the list of samples, who opened each, for which purpose and in which week, and all that the device holds \
              as one zip: receipts, texts agreed to, list",
        left: "the sound itself: it is found by the record's id and opened with the QA key",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/engine/export.rs"),
            Evidence::test(
                "tools/collector/tests/collector/audit.rs",
                "the_person_finds_each_access_in_the_published_log",
            ),
            Evidence::test(
                "tools/collector/tests/collector/samples.rs",
                "the_person_sees_who_was_handed_a_sample_and_for_what_also_after_its_deletion",
            ),
        ],
    },
    Article {
        number: "art. 16",
        asks: "rectification",
        met: "a new answer is a new revision or a new record",
        left: "",
        duty: Duty::Code,
        evidence: &[Evidence::test(
            "src/consent/tests.rs",
            "a_purpose_more_is_a_revision_and_a_childs_guardian_must_approve_of_it",
        )],
    },
    Article {
        number: "art. 17",
        asks: "erasure without undue delay",
        met: "device, collector and pulled datasets; a late upload of a deleted id is refused for ever",
        left: "backups, copies out of a dataset, models that were trained; a person who removed the app, or \
               lost the device, asks with the receipt: `sordino-collector withdraw RECORD`; without it nothing names the record",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/consent/withdrawal.rs"),
            Evidence::test(
                "src/engine/tests/model.rs",
                "nor_does_it_through_crashes_at_any_write",
            ),
            Evidence::test(
                "tools/cli/tests/cli/withdrawal.rs",
                "withdrawn_while_offline_then_killed_then_online_it_is_gone_from_everywhere",
            ),
            Evidence::test(
                "tools/collector/tests/collector/samples.rs",
                "a_deleted_id_stays_deleted_known_or_not",
            ),
        ],
    },
    Article {
        number: "art. 18",
        asks: "restriction of processing",
        met: "one purpose can be taken back alone",
        left: "to stop all use and keep the sample",
        duty: Duty::Shared,
        evidence: &[Evidence::test(
            "tools/cli/tests/cli/withdrawal.rs",
            "a_purpose_that_is_taken_back_is_gone_from_what_was_pulled_for_another",
        )],
    },
    Article {
        number: "art. 20",
        asks: "the data in a machine-readable form",
        met: "one zip of JSON and text; receipts are JSON-LD in a public vocabulary, with a JSON Schema",
        left: "the sound, as for art. 15",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("src/engine/export.rs"),
            Evidence::test(
                "src/consent/document/tests/schema.rs",
                "a_full_and_a_bare_record_fit_the_schema",
            ),
        ],
    },
    Article {
        number: "arts. 21, 22",
        asks: "objection; no automated decision with legal effect",
        met: "the ground is consent, which is taken back instead; nothing is decided about a person",
        left: "",
        duty: Duty::Code,
        evidence: &[Evidence::code("src/consent/withdrawal.rs")],
    },
    Article {
        number: "art. 25",
        asks: "data protection by design and by default",
        met: "the default is `none`; the types let nothing out that was not anonymized, sealed and granted; the plan \
              can have the person hear each sample before it is sealed",
        left: "the plan's figures, and whether it asks for review",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("dsp/src/gate.rs"),
            Evidence::test(
                "tests/sdk/compile_fail.rs",
                "what_breaks_the_promise_does_not_compile_and_for_that_reason_only",
            ),
        ],
    },
    Article {
        number: "art. 28",
        asks: "processors on contract",
        met: "the SDK's authors get nothing: the collector is the owner's to run",
        left: "a contract with whoever hosts the collector or reads samples for the owner",
        duty: Duty::Owner,
        evidence: &[],
    },
    Article {
        number: "art. 30",
        asks: "a record of processing activities",
        met: "record-of-processing.md has what the code knows",
        left: "names, transfers, time limits",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("docs/papers/record-of-processing.md"),
            Evidence::test(
                "tools/cli/tests/cli/papers.rs",
                "the_papers_in_docs_are_current",
            ),
        ],
    },
    Article {
        number: "art. 32",
        asks: "security fit for the risk: pseudonyms, encryption, resilience, testing",
        met: "encryption on the device, signatures, no key at the collector, rows with tags on the device, a chained \
              access log, tests with faults, crashes at any write and changed bytes",
        left: "keys, tokens, hosting, backups, staff",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("docs/threat-model.md"),
            Evidence::test(
                "src/seal/age/reader_tests.rs",
                "the_age_crate_opens_every_length_around_a_chunk",
            ),
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "no_changed_byte_of_a_store_brings_a_no_back",
            ),
            Evidence::test(
                "tools/collector/tests/collector/crashes.rs",
                "whatever_was_acknowledged_before_sigkill_is_there_and_nothing_else",
            ),
        ],
    },
    Article {
        number: "arts. 33, 34",
        asks: "breaches told to the authority within 72 hours, and to the person where the risk is high",
        met: "what the collector holds is ciphertext, which art. 34(3)(a) takes into account",
        left: "the procedure. Nobody's address is known: persons are reached through the app",
        duty: Duty::Owner,
        evidence: &[Evidence::code("docs/threat-model.md")],
    },
    Article {
        number: "art. 35",
        asks: "an impact assessment where the risk is likely to be high: children, recordings, new technology",
        met: "dpia.md, filled in as far as the code knows",
        left: "to decide, to consult, to sign",
        duty: Duty::Shared,
        evidence: &[
            Evidence::code("docs/papers/dpia.md"),
            Evidence::test(
                "tools/cli/tests/cli/papers.rs",
                "the_papers_in_docs_are_current",
            ),
        ],
    },
];
