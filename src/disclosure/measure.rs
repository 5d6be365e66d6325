//! What protects the person.

use super::evidence::Evidence;

/// Something that protects the person.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// What it is.
    pub name: &'static str,
    /// What it does, and where it ends.
    pub what: &'static str,
    /// Where it can be checked.
    pub evidence: &'static [Evidence],
}

/// What protects the person, in the order of the way of the sound.
pub const MEASURES: &[Measure] = &[
    Measure {
        name: "Nothing without a yes",
        what: "without a standing grant the sampler holds no sound, nothing is sealed, and nothing is sent but a withdrawal, a \
               deletion, the question whether a collector was restored from a backup, at most 60 times after one of them, and \
               the person's own question who opened a sample; a device without any consent ever makes no connection",
        evidence: &[
            Evidence::test(
                "src/sampler/tests.rs",
                "without_permission_nothing_is_held_and_nothing_comes_out",
            ),
            Evidence::test(
                "tools/cli/tests/cli/consent_on_the_wire.rs",
                "who_never_said_yes_opens_no_connection",
            ),
            Evidence::test(
                "tests/sdk/compile_fail.rs",
                "what_breaks_the_promise_does_not_compile_and_for_that_reason_only",
            ),
            Evidence::code("tests/compile_fail/grants_are_not_conjured.rs"),
        ],
    },
    Measure {
        name: "Raw sound in memory only",
        what: "it can be neither written, copied nor printed, and wipes itself; the system may still swap \
               memory out",
        evidence: &[
            Evidence::test("tests/memory/wiped.rs", "freed_memory_holds_no_sound"),
            Evidence::test(
                "tools/cli/tests/cli/no_raw_sound.rs",
                "no_write_of_a_device_holds_the_sound_that_it_heard",
            ),
        ],
    },
    Measure {
        name: "Voices out",
        what: "a network erases or cuts voices, a second one hears the result and withholds it in doubt; what \
               attackers still find is measured",
        evidence: &[
            Evidence::test(
                "dsp/src/tests.rs",
                "nothing_that_the_gate_takes_for_a_voice_is_let_out",
            ),
            Evidence::code("eval/RESULTS.md"),
        ],
    },
    Measure {
        name: "Fingerprints out",
        what: "hum, noise floor, ultrasound, exact clock, length and level are taken out or drawn anew; room, \
               instrument and manner of playing stay",
        evidence: &[
            Evidence::test(
                "dsp/src/attacks/floor.rs",
                "a_device_is_known_by_its_floor_in_raw_clips_and_not_in_anonymous_ones",
            ),
            Evidence::test(
                "dsp/src/attacks/grid.rs",
                "the_grids_wander_is_read_from_the_raw_clip_and_not_from_the_anonymous_one",
            ),
        ],
    },
    Measure {
        name: "Little data",
        what: "a clip of 2 to 30 s, a daily budget of samples and bytes, a probability for each moment, all in \
               a signed plan with a kill switch; the collector holds each record to the budgets, and takes neither \
               records nor samples while the plan is paused",
        evidence: &[
            Evidence::code("src/plan/mod.rs"),
            Evidence::test(
                "tools/cli/tests/cli/commands/keys_and_plans.rs",
                "edits_of_single_lines_rule_the_device",
            ),
            Evidence::test(
                "tools/collector/tests/collector/plans.rs",
                "a_record_sends_no_more_in_a_day_than_the_plan_allows",
            ),
            Evidence::test(
                "tools/collector/tests/collector/plans.rs",
                "a_paused_plan_takes_nothing_but_what_says_no",
            ),
        ],
    },
    Measure {
        name: "No name, no device, no time but the week",
        what: "there is no field for them, in a manifest or on the wire",
        evidence: &[
            Evidence::test(
                "src/seal/manifest_tests.rs",
                "a_manifest_holds_these_members_and_no_other",
            ),
            Evidence::test(
                "tools/cli/tests/cli/on_the_wire/mod.rs",
                "a_device_sends_nothing_that_is_not_on_the_list",
            ),
        ],
    },
    Measure {
        name: "Heard before it is sent",
        what: "where the plan or the app asks for it, the person hears the very sound that would be sent, and nothing \
               is sealed until they say yes to it; it waits in memory only",
        evidence: &[Evidence::code("src/engine/review.rs")],
    },
    Measure {
        name: "Encrypted to the QA key",
        what: "age v1 with X25519 and ChaCha20-Poly1305; neither the device nor the collector can open a \
               sample; the size is padded; there is no forward secrecy against the loss of the QA key",
        evidence: &[
            Evidence::test(
                "src/seal/age/reader_tests.rs",
                "each_of_several_recipients_opens_and_nobody_else",
            ),
            Evidence::test(
                "src/seal/seal_tests.rs",
                "any_short_clip_has_the_size_of_any_other",
            ),
        ],
    },
    Measure {
        name: "Encrypted on the way, and signed",
        what: "plain HTTP reaches no other machine; each request about a record is signed by its own key",
        evidence: &[
            Evidence::test("src/endpoint.rs", "plain_http_reaches_no_other_machine"),
            Evidence::test(
                "tools/collector/tests/collector/signatures.rs",
                "a_request_changed_after_it_was_signed_is_refused",
            ),
        ],
    },
    Measure {
        name: "A collector that cannot listen and does not look",
        what: "it holds ciphertext and writes no address, user agent or time; tokens are kept as hashes",
        evidence: &[Evidence::test(
            "tools/collector/tests/collector/traces.rs",
            "neither_address_nor_user_agent_nor_time_is_written_anywhere_in_any_spelling",
        )],
    },
    Measure {
        name: "Access by purpose, noted in a chain",
        what: "a token is good for its purposes; each hand-out is noted first, in a log chained by hashes whose head \
               is public: an edit, a removal or a swap is found by whoever kept a head; the person's device verifies \
               proofs that each access is in the log and that nothing before was changed; the person can read who \
               opened a sample. A hand-out past the service, by whoever has the collector's files, is noted nowhere",
        evidence: &[
            Evidence::test(
                "tools/collector/tests/collector/tools.rs",
                "a_token_is_good_for_its_purposes_alone",
            ),
            Evidence::test(
                "tools/cli/tests/cli/commands/audit.rs",
                "an_edit_a_removal_a_swap_an_insertion_and_a_cut_are_told_in_one_line",
            ),
            Evidence::test(
                "tools/cli/tests/cli/commands/audit.rs",
                "what_a_pull_was_handed_stands_in_the_log_where_the_person_finds_it",
            ),
        ],
    },
    Measure {
        name: "A receipt that anybody can verify",
        what: "each yes is a signed record with the fields of ISO/IEC TS 27560, verified without a network, the text \
               agreed to beside it",
        evidence: &[
            Evidence::test(
                "src/consent/document/tests.rs",
                "each_byte_that_is_changed_is_refused_or_means_the_same",
            ),
            Evidence::test(
                "src/consent/document/tests/oracle.rs",
                "python_verifies_a_receipt_and_refuses_a_changed_one",
            ),
        ],
    },
    Measure {
        name: "No at any time",
        what: "grants die at once in every thread, what waits is shredded, the collector deletes, pulls remove their \
               copies; copies that somebody took out of a dataset are out of reach",
        evidence: &[
            Evidence::test(
                "src/consent/races.rs",
                "in_no_order_does_a_sample_wait_after_a_withdrawal",
            ),
            Evidence::test(
                "src/consent/races.rs",
                "in_no_order_is_a_sample_sent_and_not_asked_back",
            ),
            Evidence::test(
                "src/engine/tests/model.rs",
                "whatever_happens_nothing_goes_without_a_yes_and_a_no_reaches_everywhere",
            ),
            Evidence::test(
                "tools/cli/tests/cli/withdrawal.rs",
                "withdrawn_while_offline_then_killed_then_online_it_is_gone_from_everywhere",
            ),
        ],
    },
    Measure {
        name: "A no that outlives the store",
        what: "the request that withdraws a record is signed together with it, one for each collector, and kept beside the \
               store: a withdrawal renames these files, and is sent after a crash, on a full disk, out of a damaged \
               store, after a reset, and again to a collector whose database was restored from a backup. Removing the \
               app withdraws nothing; the operator can withdraw by the id in the receipt",
        evidence: &[
            Evidence::test(
                "src/engine/tests/model.rs",
                "nor_does_it_through_crashes_at_any_write",
            ),
            Evidence::test(
                "src/engine/tests/crashes.rs",
                "a_reset_that_is_cut_short_forgets_no_no",
            ),
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "a_damaged_device_starts_anew_and_still_asks_back_what_it_sent",
            ),
            Evidence::test(
                "src/upload/tests.rs",
                "what_was_sent_to_one_collector_is_taken_back_there_and_nowhere_else",
            ),
            Evidence::test(
                "src/upload/tests.rs",
                "another_epoch_has_every_no_said_again",
            ),
        ],
    },
    Measure {
        name: "No yes out of a changed store",
        what: "each row of the device's store bears a tag (HMAC-SHA256) under the store's own key: a changed byte is \
               no consent, and is not mended into one. Whoever reads that key, on the same disk, can write rows",
        evidence: &[
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "no_changed_byte_of_a_store_grants_more_than_was_said",
            ),
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "no_changed_byte_of_a_store_brings_a_no_back",
            ),
        ],
    },
    Measure {
        name: "A yes that ends",
        what: "consent runs out after the plan's days, at most 366, by a time that does not go back; a new notice and \
               coming of age are new questions",
        evidence: &[
            Evidence::test(
                "src/consent/tests.rs",
                "a_yes_runs_out_while_it_is_held_and_is_not_lengthened_by_asking_again",
            ),
            Evidence::test(
                "tools/cli/tests/cli/bad_input/clocks.rs",
                "a_clock_that_jumps_back_a_year_loses_nothing_and_lengthens_nothing",
            ),
            Evidence::test(
                "src/consent/tests.rs",
                "a_child_that_comes_of_age_is_asked_anew_and_grants_nothing_until_then",
            ),
        ],
    },
    Measure {
        name: "A guardian for a child",
        what: "a child, and whoever may be one, grants nothing before a guardian approved; the record keeps method, week \
               and a salted hash of the evidence, nothing of the guardian. The app verifies the guardian",
        evidence: &[
            Evidence::test(
                "src/engine/tests/tampering.rs",
                "no_changed_byte_of_a_store_stands_in_for_a_guardian",
            ),
            Evidence::test(
                "tools/collector/tests/collector/consents.rs",
                "a_child_is_registered_only_with_a_guardians_approval",
            ),
            Evidence::test(
                "src/consent/guardian.rs",
                "the_same_evidence_leaves_another_hash_in_each_record",
            ),
        ],
    },
];
