//! The signed consent record, as it is registered with the collector.
//!
//! docs/consent.md says which field of ISO/IEC TS 27560 each member is, and
//! docs/consent-record.schema.json states them as a JSON Schema.

#[cfg(test)]
mod tests;

use super::{
    data::{ANNOTATION, QUALITY_ASSURANCE, RECOGNITION_RESEARCH, RECORD, SOUND, TECHNICAL},
    field::{Field, Personal, Shape},
    record,
    rights::{ACCESS, ERASURE, RECTIFICATION},
};

/// An id of a record or a sample.
pub(super) const ID: &str = "[0-9a-f]{32}";
/// A week of ISO 8601.
pub(super) const WEEK: &str = "[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])";
/// SHA-256 in hexadecimal.
pub(super) const SHA256_HEX: &str = "[0-9a-f]{64}";
/// The names of the purposes.
pub(super) const PURPOSE_NAMES: &[&str] = &["quality-assurance", "recognition-research"];

const ORGANIZATION: &str = "urn:sordino:organisation:[0-9a-f]{64}";
const COUNTRY: &str = "loc:[A-Z]{2}";

const PROOF: &str = "when and how consent was given is a part of its proof";
const TO_FIND: &str = "samples, withdrawals and deletions name it";
const PRODUCED: &str = "the very text that was agreed to can be produced";
const BY_ITSELF: &str = "each use is granted and taken back by itself";
const WHO_ANSWERS: &str = "the person is told who answers for the samples, and the collector too";
const UNCHANGED: &str = "it shows that the record was not changed";

/// Each member of the registered record.
pub const REGISTRATION: &[Field] = &[
    Field::same(
        "@context",
        Shape::Always(
            r#"{
                "dct": "http://purl.org/dc/terms/",
                "dpv": "https://w3id.org/dpv#",
                "loc": "https://w3id.org/dpv/loc#",
                "pd": "https://w3id.org/dpv/pd#",
                "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
                "schema": "https://schema.org/",
                "skos": "http://www.w3.org/2004/02/skos/core#",
                "sordino": "urn:sordino:",
                "dct:conformsTo": {"@type": "@id"},
                "dpv:hasCountry": {"@type": "@id"},
                "dpv:hasDataController": {"@type": "@id"},
                "dpv:hasIndicationMethod": {"@type": "@id"},
                "dpv:hasJurisdiction": {"@type": "@id"},
                "dpv:hasLegalBasis": {"@type": "@id"},
                "dpv:hasLocation": {"@type": "@id"},
                "dpv:hasProcessing": {"@type": "@id"},
                "dpv:hasPurpose": {"@type": "@id"},
                "dpv:isIndicatedBy": {"@type": "@id"},
                "skos:broader": {"@type": "@id"}
            }"#,
        ),
    ),
    Field {
        name: "@id",
        holds: "the record's id, as a name of its own",
        shape: Shape::Text("urn:sordino:consent-record:[0-9a-f]{32}"),
        personal: Personal::Links,
        why: TO_FIND,
    },
    Field::same(
        "@type",
        Shape::Always(r#"["dpv:ConsentRecord", "dpv:ConsentReceipt"]"#),
    ),
    Field::same(
        "dct:conformsTo",
        Shape::Always(
            r#"["https://w3id.org/dpv/schema/dpv-27560#record",
                "urn:sordino:schema:consent-record:2"]"#,
        ),
    ),
    Field {
        name: "dct:identifier",
        holds: "the record's id, random; a new consent has a new one",
        shape: Shape::Text(ID),
        personal: Personal::Links,
        why: TO_FIND,
    },
    Field {
        name: "schema:version",
        holds: "a count of the record's changes",
        shape: Shape::Whole(1, 0xffff_ffff),
        personal: Personal::Links,
        why: "an older state never replaces a newer one",
    },
    Field::object("dpv:hasDataSubject", "the person, without any name"),
    Field {
        name: "dpv:hasDataSubject.@type",
        holds: "who decides; never an age or a birth date",
        shape: Shape::List(2),
        personal: Personal::About,
        why: "the collector refuses a child's record without a guardian's approval",
    },
    Field {
        name: "dpv:hasDataSubject.@type[]",
        holds: "an adult, a child, or, where neither is said, of unknown age",
        shape: Shape::OneOf(&["dpv:DataSubject", "dpv:Adult", "dpv:Child"]),
        personal: Personal::About,
        why: "the collector refuses a child's record without a guardian's approval",
    },
    Field {
        name: "dpv:hasDataSubject.dct:identifier",
        holds: "the record's id again: a pseudonym for this record only",
        shape: Shape::Text(ID),
        personal: Personal::Links,
        why: TO_FIND,
    },
    Field::object("dpv:hasNotice", "which text was shown"),
    Field::term("dpv:hasNotice.@type", &["dpv:ConsentNotice"]),
    Field {
        name: "dpv:hasNotice.schema:version",
        holds: "the organization's count of its texts",
        shape: Shape::Whole(1, 0xffff_ffff),
        personal: Personal::No,
        why: "a new text is a new question",
    },
    Field {
        name: "dpv:hasNotice.schema:sha256",
        holds: "SHA-256 of the text",
        shape: Shape::Text(SHA256_HEX),
        personal: Personal::No,
        why: PRODUCED,
    },
    Field {
        name: "dpv:hasNotice.dct:language",
        holds: "the language of the text (BCP 47)",
        shape: Shape::Text("[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,7}"),
        personal: Personal::About,
        why: PRODUCED,
    },
    Field {
        name: "dpv:hasProcess",
        holds: "what the person said yes to",
        shape: Shape::List(2),
        personal: Personal::About,
        why: "the collector takes and hands out nothing for another use",
    },
    Field::object("dpv:hasProcess[]", "one use, and what is done for it"),
    Field::term("dpv:hasProcess[].@type", &["dpv:Process"]),
    Field {
        name: "dpv:hasProcess[].dct:identifier",
        holds: "the use",
        shape: Shape::OneOf(PURPOSE_NAMES),
        personal: Personal::About,
        why: BY_ITSELF,
    },
    Field::object(
        "dpv:hasProcess[].dpv:hasPurpose",
        "the use in the vocabulary's terms",
    ),
    Field {
        name: "dpv:hasProcess[].dpv:hasPurpose.@id",
        holds: "the use, as a name of its own",
        shape: Shape::OneOf(&[
            "urn:sordino:purpose:quality-assurance",
            "urn:sordino:purpose:recognition-research",
        ]),
        personal: Personal::About,
        why: BY_ITSELF,
    },
    Field::term("dpv:hasProcess[].dpv:hasPurpose.@type", &["dpv:Purpose"]),
    Field {
        name: "dpv:hasProcess[].dpv:hasPurpose.skos:broader",
        holds: "the vocabulary's term that the use is a case of",
        shape: Shape::OneOf(&[QUALITY_ASSURANCE.term, RECOGNITION_RESEARCH.term]),
        personal: Personal::About,
        why: BY_ITSELF,
    },
    Field {
        name: "dpv:hasProcess[].dpv:hasPurpose.dct:description",
        holds: "the use in words",
        shape: Shape::OneOf(&[QUALITY_ASSURANCE.what, RECOGNITION_RESEARCH.what]),
        personal: Personal::About,
        why: BY_ITSELF,
    },
    Field::term(
        "dpv:hasProcess[].dpv:hasLegalBasis",
        &["dpv:ExplicitlyExpressedConsent"],
    ),
    Field::same("dpv:hasProcess[].dpv:hasPersonalData", Shape::List(4)),
    Field::same("dpv:hasProcess[].dpv:hasPersonalData[]", Shape::Object),
    Field::term(
        "dpv:hasProcess[].dpv:hasPersonalData[].@type",
        &["dpv:PseudonymisedData"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasPersonalData[].dct:identifier",
        &["sound", "annotation", "technical", "record"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasPersonalData[].skos:broader",
        &[
            "pd:Behavioral",
            "pd:ServiceConsumptionBehavior",
            "pd:DeviceSoftware",
            "pd:AgeRange",
        ],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasPersonalData[].dct:description",
        &[SOUND.holds, ANNOTATION.holds, TECHNICAL.holds, RECORD.holds],
    ),
    Field::same(
        "dpv:hasProcess[].dpv:hasProcessing",
        Shape::Always(
            r#"["dpv:Collect", "dpv:Filter", "dpv:Pseudonymise", "dpv:Store", "dpv:Transfer",
                "dpv:Analyse", "dpv:Erase"]"#,
        ),
    ),
    Field::same("dpv:hasProcess[].dpv:hasDataSource", Shape::Object),
    Field::term(
        "dpv:hasProcess[].dpv:hasDataSource.@type",
        &["dpv:DataSubjectDataSource"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasDataSource.dct:description",
        &[record::SOURCE],
    ),
    Field::same("dpv:hasProcess[].dpv:hasStorageCondition", Shape::List(3)),
    Field::same("dpv:hasProcess[].dpv:hasStorageCondition[]", Shape::Object),
    Field::term(
        "dpv:hasProcess[].dpv:hasStorageCondition[].@type",
        &[
            "dpv:StorageLocation",
            "dpv:StorageDuration",
            "dpv:StorageDeletion",
        ],
    ),
    Field::same(
        "dpv:hasProcess[].dpv:hasStorageCondition[].dpv:hasLocation",
        Shape::Always(r#"["dpv:WithinDevice", "dpv:RemoteLocation"]"#),
    ),
    Field::same(
        "dpv:hasProcess[].dpv:hasStorageCondition[].dpv:hasDuration",
        Shape::Object,
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasStorageCondition[].dpv:hasDuration.@type",
        &["dpv:UntilEventDuration"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasStorageCondition[].dpv:hasDuration.dct:description",
        &[record::RETENTION],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasStorageCondition[].dct:description",
        &[record::DELETION],
    ),
    Field {
        name: "dpv:hasProcess[].dpv:hasDataController",
        holds: "the organization, by the key that its plans are signed with",
        shape: Shape::Text(ORGANIZATION),
        personal: Personal::No,
        why: WHO_ANSWERS,
    },
    Field::same("dpv:hasProcess[].dpv:hasRecipient", Shape::Object),
    Field::same(
        "dpv:hasProcess[].dpv:hasRecipient.@type",
        Shape::Always(r#"["dpv:Recipient", "dpv:DataController"]"#),
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasRecipient.dct:description",
        &[record::RECIPIENTS],
    ),
    Field::same("dpv:hasProcess[].dpv:hasProhibition", Shape::Object),
    Field::term(
        "dpv:hasProcess[].dpv:hasProhibition.@type",
        &["dpv:Prohibition"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasProhibition.dpv:hasPurpose",
        &["dpv:SellDataToThirdParties"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasProhibition.dct:description",
        &[record::NO_THIRD_PARTY],
    ),
    Field::same("dpv:hasProcess[].dpv:hasConsentControl", Shape::Object),
    Field::term(
        "dpv:hasProcess[].dpv:hasConsentControl.@type",
        &["dpv:WithdrawConsent"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasConsentControl.dpv:isExercisedAt",
        &[record::WITHDRAWAL_PLACE],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasConsentControl.dct:description",
        &[record::WITHDRAWAL],
    ),
    Field::same("dpv:hasProcess[].dpv:hasRight", Shape::List(3)),
    Field::same("dpv:hasProcess[].dpv:hasRight[]", Shape::Object),
    Field::same(
        "dpv:hasProcess[].dpv:hasRight[].@type",
        Shape::Always(r#"["dpv:DataSubjectRight", "dpv:ActiveRight"]"#),
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasRight[].dct:identifier",
        &["access", "rectification", "erasure"],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasRight[].dpv:isExercisedAt",
        &[record::WITHDRAWAL_PLACE],
    ),
    Field::term(
        "dpv:hasProcess[].dpv:hasRight[].dct:description",
        &[ACCESS.gives, RECTIFICATION.gives, ERASURE.gives],
    ),
    Field {
        name: "dpv:hasConsentStatus",
        holds: "the person's answer, and the guardian's where one is needed",
        shape: Shape::List(2),
        personal: Personal::About,
        why: PROOF,
    },
    Field::object("dpv:hasConsentStatus[]", "one answer"),
    Field {
        name: "dpv:hasConsentStatus[].@type",
        holds: "a yes; a child's own is a request for its guardian's",
        shape: Shape::OneOf(&["dpv:ConsentGiven", "dpv:ConsentRequested"]),
        personal: Personal::About,
        why: PROOF,
    },
    Field {
        name: "dpv:hasConsentStatus[].dpv:isIndicatedBy",
        holds: "whose answer it is, without any name",
        shape: Shape::OneOf(&["dpv:DataSubject", "dpv:GuardianOfDataSubject"]),
        personal: Personal::About,
        why: PROOF,
    },
    Field {
        name: "dpv:hasConsentStatus[].dpv:isIndicatedAtTime",
        holds: "the week of the answer",
        shape: Shape::Text(WEEK),
        personal: Personal::About,
        why: PROOF,
    },
    Field::object(
        "dpv:hasConsentStatus[].dpv:hasDuration",
        "how long it holds",
    ),
    Field::term(
        "dpv:hasConsentStatus[].dpv:hasDuration.@type",
        &["dpv:UntilTimeDuration"],
    ),
    Field {
        name: "dpv:hasConsentStatus[].dpv:hasDuration.rdf:value",
        holds: "the last week in which it holds",
        shape: Shape::Text(WEEK),
        personal: Personal::About,
        why: "the collector takes nothing after it",
    },
    Field {
        name: "dpv:hasConsentStatus[].dpv:hasIndicationMethod",
        holds: "how the app made sure that it was the guardian (16 CFR 312.5(b)(2)); absent of the person's own \
                answer",
        shape: Shape::OneOf(&[
            "urn:sordino:guardian-method:signed-form",
            "urn:sordino:guardian-method:payment-card",
            "urn:sordino:guardian-method:toll-free-call",
            "urn:sordino:guardian-method:video-conference",
            "urn:sordino:guardian-method:government-id",
            "urn:sordino:guardian-method:knowledge-based",
            "urn:sordino:guardian-method:face-match",
            "urn:sordino:guardian-method:email-plus",
            "urn:sordino:guardian-method:text-plus",
        ]),
        personal: Personal::About,
        why: "the owner has to be able to show how consent was verified",
    },
    Field {
        name: "dpv:hasConsentStatus[].sordino:evidence-hash",
        holds: "SHA-256 of the record's id and of what the app could show for the guardian's yes; salted by the \
                id, it ties no two records together; absent where the app handed in nothing",
        shape: Shape::Text(SHA256_HEX),
        personal: Personal::About,
        why: "what is shown later can be told to be what was there then",
    },
    Field::object(
        "dpv:hasDataController",
        "the organization that the person said yes to",
    ),
    Field {
        name: "dpv:hasDataController.@id",
        holds: "the key that its plans are signed with",
        shape: Shape::Text(ORGANIZATION),
        personal: Personal::No,
        why: WHO_ANSWERS,
    },
    Field::term("dpv:hasDataController.@type", &["dpv:DataController"]),
    Field {
        name: "dpv:hasDataController.dpv:hasIdentifier",
        holds: "the same key",
        shape: Shape::Text(ORGANIZATION),
        personal: Personal::No,
        why: WHO_ANSWERS,
    },
    Field {
        name: "dpv:hasDataController.dpv:hasName",
        holds: "its name, as its plan states it",
        shape: Shape::Text(r"\P{Cc}{1,100}"),
        personal: Personal::No,
        why: WHO_ANSWERS,
    },
    Field {
        name: "dpv:hasDataController.dpv:hasContact",
        holds: "where it is reached about privacy, as its plan states it",
        shape: Shape::Text(r"(https://|[^@\s]+@)[^@\s]+\.[^@\s]+"),
        personal: Personal::No,
        why: WHO_ANSWERS,
    },
    Field {
        name: "dpv:hasDataController.dpv:hasCountry",
        holds: "its country, as its plan states it",
        shape: Shape::Text(COUNTRY),
        personal: Personal::No,
        why: WHO_ANSWERS,
    },
    Field {
        name: "dpv:hasJurisdiction",
        holds: "the same country; never the person's",
        shape: Shape::Text(COUNTRY),
        personal: Personal::No,
        why: WHO_ANSWERS,
    },
    Field::object(
        "signature",
        "the record's own signature over the rest (RFC 8785)",
    ),
    Field::term("signature.algorithm", &["ed25519"]),
    Field {
        name: "signature.key",
        holds: "the record's public key; no other record has it",
        shape: Shape::Text(SHA256_HEX),
        personal: Personal::Links,
        why: "later requests are verified by it",
    },
    Field {
        name: "signature.value",
        holds: "the signature (RFC 8032)",
        shape: Shape::Text("[A-Za-z0-9+/]{86}=="),
        personal: Personal::Links,
        why: UNCHANGED,
    },
];
