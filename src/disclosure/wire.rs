//! What leaves a device: each request, header by header, and each file, layer by layer.
//!
//! docs/protocol.md says what the requests do. That nothing else is sent is shown by a test that reads a
//! device's traffic: tools/cli/tests/cli/on_the_wire/mod.rs.

use super::{
    field::{Field, Personal, Shape},
    registration::{PURPOSE_NAMES, REGISTRATION, SHA256_HEX},
};

/// A request that a device makes. There is no other.
#[derive(Clone, Copy, Debug)]
pub struct WireRequest {
    /// What it is for, in a few words.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, as a regular expression, after the path of the collector's own URL. There is no query.
    pub path: &'static str,
    /// When it is sent.
    pub when: &'static str,
    /// Each header that it can carry.
    pub headers: &'static [Field],
    /// What it carries.
    pub body: BodyShape,
}

/// What a request carries.
#[derive(Clone, Copy, Debug)]
pub enum BodyShape {
    /// Nothing.
    Empty,
    /// A JSON object of these members.
    Json(&'static [Field]),
    /// A sealed sample: [`AGE_FILE`].
    AgeFile,
}

/// A layer of the sealed sample, or of the way it takes: what those see who have no key to it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// What is seen.
    pub what: &'static str,
    /// What it looks like: a regular expression where it is text, else a length or a rule.
    pub looks: &'static str,
    /// What it tells.
    pub tells: &'static str,
}

const HOST: Field = Field {
    name: "host",
    holds: "the collector's host and port",
    shape: Shape::Text(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"),
    personal: Personal::No,
    why: "HTTP asks for it (RFC 9110 section 7.2)",
};
const JSON_LENGTH: Field = Field {
    name: "content-length",
    holds: "the body's length in bytes",
    shape: Shape::Whole(2, 65_536),
    personal: Personal::No,
    why: "HTTP asks for it (RFC 9110 section 8.6)",
};
const SAMPLE_LENGTH: Field = Field {
    name: "content-length",
    holds: "the sealed sample's length in bytes; padded, so that only one of few lengths is seen",
    shape: Shape::Whole(32_768, 1_048_576),
    personal: Personal::About,
    why: "HTTP asks for it (RFC 9110 section 8.6)",
};
const JSON_TYPE: Field = Field {
    name: "content-type",
    holds: "that the body is JSON",
    shape: Shape::OneOf(&["application/json"]),
    personal: Personal::No,
    why: "a reader needs it",
};
const SAMPLE_TYPE: Field = Field {
    name: "content-type",
    holds: "that the body is bytes",
    shape: Shape::OneOf(&["application/octet-stream"]),
    personal: Personal::No,
    why: "a reader needs it",
};
const DIGEST: Field = Field {
    name: "content-digest",
    holds: "SHA-256 of the body (RFC 9530)",
    shape: Shape::Text("sha-256=:[A-Za-z0-9+/]{43}=:"),
    personal: Personal::No,
    why: "a damaged body is refused",
};
const SIGNATURE: Field = Field {
    name: "signature",
    holds: "the request's signature by the record's own key (RFC 9421)",
    shape: Shape::Text("sordino=:[A-Za-z0-9+/]{86}==:"),
    personal: Personal::Links,
    why: "nobody else can withdraw, delete or send in the record's name",
};

/// What is signed, and by which record. There is neither a time nor a nonce.
const fn signature_input(pattern: &'static str) -> Field {
    Field {
        name: "signature-input",
        holds: "what is signed, and the id of the record whose key signed it (RFC 9421)",
        shape: Shape::Text(pattern),
        personal: Personal::Links,
        why: "the collector verifies by the key that the record registered",
    }
}

const BARE_INPUT: Field = signature_input(
    r#"sordino=\("@method" "@authority" "@path"\);keyid="[0-9a-f]{32}";alg="ed25519""#,
);
const BODY_INPUT: Field = signature_input(
    r#"sordino=\("@method" "@authority" "@path" "content-digest"\);keyid="[0-9a-f]{32}";alg="ed25519""#,
);
const SAMPLE_INPUT: Field = signature_input(
    r#"sordino=\("@method" "@authority" "@path" "content-digest" "sordino-purposes" "sordino-recipients"\);keyid="[0-9a-f]{32}";alg="ed25519""#,
);

const WITHDRAWAL: &[Field] = &[
    Field {
        name: "purposes",
        holds: "what the person takes back",
        shape: Shape::List(2),
        personal: Personal::About,
        why: "each use can be taken back by itself",
    },
    Field {
        name: "purposes[]",
        holds: "one use",
        shape: Shape::OneOf(PURPOSE_NAMES),
        personal: Personal::About,
        why: "each use can be taken back by itself",
    },
];

/// Every request, as the built-in client sends it. A host that sends with its own client adds what that
/// client adds.
pub const REQUESTS: &[WireRequest] = &[
    WireRequest {
        name: "register",
        method: "PUT",
        path: "/v1/consents/[0-9a-f]{32}",
        when: "once consent is granted (a child's: by the guardian too), before the first sample; when the record \
               changed; and again before the first sample of each run of the app, to each collector that knows the \
               record, so that a device restored from a backup learns of a withdrawal",
        headers: &[HOST, JSON_LENGTH, JSON_TYPE, DIGEST, BODY_INPUT, SIGNATURE],
        body: BodyShape::Json(REGISTRATION),
    },
    WireRequest {
        name: "withdraw",
        method: "PUT",
        path: "/v1/consents/[0-9a-f]{32}/withdrawal",
        when: "after a withdrawal or a reset, to each collector that may know the record; again until it is \
               acknowledged, and once more where the collector's database was restored from a backup",
        headers: &[HOST, JSON_LENGTH, JSON_TYPE, DIGEST, BODY_INPUT, SIGNATURE],
        body: BodyShape::Json(WITHDRAWAL),
    },
    WireRequest {
        name: "send a sample",
        method: "PUT",
        path: "/v1/samples/[0-9a-f]{32}",
        when: "while consent stands for each of the sample's purposes",
        headers: &[
            HOST,
            SAMPLE_LENGTH,
            SAMPLE_TYPE,
            DIGEST,
            Field {
                name: "sordino-purposes",
                holds: "what the sample may be used for",
                shape: Shape::OneOf(&[
                    "quality-assurance",
                    "recognition-research",
                    "quality-assurance, recognition-research",
                ]),
                personal: Personal::About,
                why: "the collector cannot open the sample, and hands it out for nothing else",
            },
            Field {
                name: "sordino-recipients",
                holds: "SHA-256 of the recipients; the same on every device under one plan",
                shape: Shape::Text(SHA256_HEX),
                personal: Personal::No,
                why: "the collector refuses what is sealed to others",
            },
            SAMPLE_INPUT,
            SIGNATURE,
        ],
        body: BodyShape::AgeFile,
    },
    WireRequest {
        name: "delete a sample",
        method: "DELETE",
        path: "/v1/samples/[0-9a-f]{32}",
        when: "after the person had a sample, or all of them, deleted, to each collector that may have it; again until it \
               is acknowledged, and once more where the collector's database was restored from a backup",
        headers: &[HOST, BARE_INPUT, SIGNATURE],
        body: BodyShape::Empty,
    },
    WireRequest {
        name: "read accesses",
        method: "GET",
        path: "/v1/samples/[0-9a-f]{32}/accesses/since/[0-9]{1,19}",
        when: "when the person asks who opened a sample; the number at the end is how many entries the access log had \
               when it was last asked for a sample of the same consent record (0: never), so that the collector can \
               prove that none of them was changed",
        headers: &[HOST, BARE_INPUT, SIGNATURE],
        body: BodyShape::Empty,
    },
    WireRequest {
        name: "fetch the plan",
        method: "GET",
        path: "/v1/plan",
        when: "while consent stands, at most every six hours, and when something is sent on request",
        headers: &[
            HOST,
            Field {
                name: "if-none-match",
                holds: "the version of the plan in force",
                shape: Shape::Text("\"[0-9]{1,16}\""),
                personal: Personal::No,
                why: "a plan that is known is not sent again",
            },
        ],
        body: BodyShape::Empty,
    },
    WireRequest {
        name: "ask for the epoch",
        method: "GET",
        path: "/v1/audit/head",
        when: "after a withdrawal or a deletion was acknowledged, at most 60 times and at most once a day, where \
               nothing else was sent to that collector: one whose database was restored from a backup is told again",
        headers: &[HOST],
        body: BodyShape::Empty,
    },
];

/// The sealed sample, layer by layer, to whoever has no key: age v1, <https://c2sp.org/age>.
pub const AGE_FILE: &[Seen] = &[
    Seen {
        what: "version line",
        looks: "age-encryption.org/v1",
        tells: "the format",
    },
    Seen {
        what: "stanza, first line; one for each recipient of the plan, 1 to 20",
        looks: "-> X25519 [A-Za-z0-9+/]{43}",
        tells: "how many can open it, not who; the key in it is used once",
    },
    Seen {
        what: "stanza, second line",
        looks: "[A-Za-z0-9+/]{43}",
        tells: "nothing: the file's key, encrypted",
    },
    Seen {
        what: "last line of the header",
        looks: "--- [A-Za-z0-9+/]{43}",
        tells: "nothing: a keyed hash of the header",
    },
    Seen {
        what: "nonce",
        looks: "16 random bytes",
        tells: "nothing",
    },
    Seen {
        what: "ciphertext",
        looks: "pieces of 65,552 bytes, the last one shorter; without 16 bytes a piece it is one of the \
                padded lengths: at least 32,768 bytes, PADMÉ above that (PoPETs 2019(4), section 4.2)",
        tells: "about how much sound there is, to some 12 %; all below a second and a half looks alike",
    },
];

/// What whoever opens it finds: a tar of two files, padded with zeros.
pub const ARCHIVE: &[Seen] = &[
    Seen {
        what: "tar headers (POSIX ustar)",
        looks: "manifest.json, then audio.flac; mode 0644, owner and group 0 without names, time 0",
        tells: "nothing of the device or the time",
    },
    Seen {
        what: "manifest.json",
        looks: "the members of the table below",
        tells: "what the table below says",
    },
    Seen {
        what: "audio.flac",
        looks: "FLAC, mono, 16 bit, 16,000 samples a second; STREAMINFO is its only metadata block",
        tells: "the playing, without the voices that were found; the room and the instrument can be heard",
    },
];

/// What is seen below HTTP, by whoever carries it.
pub const NETWORK: &[Seen] = &[
    Seen {
        what: "IP address and port of the device",
        looks: "IP and TCP",
        tells: "personal data for whoever can tell whose it is; every client that sends at all shows it. \
                The collector writes it nowhere; a proxy in front may",
    },
    Seen {
        what: "the collector's name",
        looks: "DNS; TLS server name",
        tells: "that this device uses this collector",
    },
    Seen {
        what: "TLS handshake",
        looks: "rustls, or the host's own",
        tells: "which TLS library is at work",
    },
    Seen {
        what: "number, time and size of encrypted records",
        looks: "TLS over TCP",
        tells: "when the device sends, and about how much",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Id, Purposes, purpose::Purpose, upload::TaskKind};

    #[test]
    fn every_task_of_an_upload_has_its_request() {
        let (record, sample) = (Id::random().unwrap(), Id::random().unwrap());
        let purposes = Purposes::all();
        let tasks = [
            TaskKind::Register {
                record,
                revision: 1,
            },
            TaskKind::Withdraw { record, purposes },
            TaskKind::Send { sample },
            TaskKind::Delete { sample },
            TaskKind::ReadAccesses { sample, seen: 0 },
            TaskKind::FetchPlan,
            TaskKind::AskEpoch,
        ];
        let names = tasks.map(|task| name_of(&task));
        assert_eq!(
            REQUESTS
                .iter()
                .map(|request| request.name)
                .collect::<Vec<_>>(),
            names
        );
    }

    /// A new task does not compile until it is listed.
    fn name_of(task: &TaskKind) -> &'static str {
        match task {
            TaskKind::Register { .. } | TaskKind::Confirm { .. } => "register",
            TaskKind::Withdraw { .. } => "withdraw",
            TaskKind::Send { .. } => "send a sample",
            TaskKind::Delete { .. } => "delete a sample",
            TaskKind::ReadAccesses { .. } => "read accesses",
            TaskKind::FetchPlan => "fetch the plan",
            TaskKind::AskEpoch => "ask for the epoch",
        }
    }

    #[test]
    fn every_set_of_purposes_is_listed_as_its_header_is_written() {
        let [one, other] = Purpose::ALL;
        let sets = [vec![one], vec![other], vec![one, other]];
        let written = sets.map(|set| Purposes::from_iter(set).to_string());
        let headers = REQUESTS.iter().flat_map(|request| request.headers);
        let mut listed = headers
            .filter(|header| header.name == "sordino-purposes")
            .map(|header| header.shape);
        let Some(Shape::OneOf(names)) = listed.next() else {
            panic!("it is a closed set");
        };
        assert_eq!(names, written.each_ref().map(String::as_str));
        assert_eq!(PURPOSE_NAMES, Purpose::ALL.map(Purpose::as_str));
    }
}
