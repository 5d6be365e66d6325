//! Parsing of a record, strict: anything that would be written differently is rejected.

use std::str::FromStr;

use serde::Deserialize as _;
use serde_json::Value;

use super::{
    super::{
        AgeBand, EvidenceHash, GuardianApproval, GuardianMethod, NoticeReference, Organization,
        Record,
    },
    GUARDIAN_METHOD, ORGANIZATION, SCHEMA,
    flat::{self, FlatRecord},
    subject, write,
};
use crate::{hex, plan::Controller, purpose::Purposes};

/// Longest description that is read, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 1000;

/// Why a document is not a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::consent) enum DocumentError {
    #[error(
        "it has schema {0}, but this version reads schemas {first} and {last}; use a newer version",
        first = flat::SCHEMA,
        last = Record::SCHEMA
    )]
    Schema(u32),
    #[error("it states schema {0}, but has another schema's shape")]
    OtherShape(u32),
    #[error("it states no schema of a consent record")]
    NoSchema,
    #[error("{0}")]
    Flat(String),
    #[error("its `{member}` {reason}")]
    Member {
        member: String,
        reason: &'static str,
    },
}

/// Parses a record from `document`, without its signature.
pub(in crate::consent) fn read(document: &Value) -> Result<Record, DocumentError> {
    match schema(document)? {
        (flat::SCHEMA, Shape::Flat) => FlatRecord::deserialize(document)
            .map(Record::from)
            .map_err(|error| DocumentError::Flat(error.to_string())),
        (Record::SCHEMA, Shape::Linked) => {
            let record = read_current(document)?;
            check_same(&write(&record), document, "")?;
            Ok(record)
        }
        (known @ (flat::SCHEMA | Record::SCHEMA), _) => Err(DocumentError::OtherShape(known)),
        (unknown, _) => Err(DocumentError::Schema(unknown)),
    }
}

enum Shape {
    Flat,
    Linked,
}

/// The schema that the document states, and the shape in which it states it.
fn schema(document: &Value) -> Result<(u32, Shape), DocumentError> {
    if document.get("schema").is_some() {
        return Ok((Member(document, "/schema").number()?, Shape::Flat));
    }
    let stated = document
        .pointer("/dct:conformsTo/1")
        .and_then(Value::as_str);
    stated
        .and_then(|name| name.strip_prefix(SCHEMA)?.parse().ok())
        .map(|schema| (schema, Shape::Linked))
        .ok_or(DocumentError::NoSchema)
}

fn read_current(document: &Value) -> Result<Record, DocumentError> {
    let events = Member(document, "/dpv:hasConsentStatus").list()?;
    let controller = document.get("dpv:hasDataController");
    Ok(Record {
        schema: Record::SCHEMA,
        id: Member(document, "/dct:identifier").parse()?,
        revision: Member(document, "/schema:version").number()?,
        purposes: purposes(document)?,
        age_band: age_band(document)?,
        guardian: events.get(1).map(guardian).transpose()?,
        notice: NoticeReference {
            version: Member(document, "/dpv:hasNotice/schema:version").number()?,
            language: Member(document, "/dpv:hasNotice/dct:language")
                .text()?
                .to_owned(),
            sha256: sha256(document)?,
        },
        controller: controller.map(organization).transpose()?,
        given: Member(document, "/dpv:hasConsentStatus/0/dpv:isIndicatedAtTime").parse()?,
        holds_until: Member(
            document,
            "/dpv:hasConsentStatus/0/dpv:hasDuration/rdf:value",
        )
        .parse()?,
    })
}

fn purposes(document: &Value) -> Result<Purposes, DocumentError> {
    let processes = Member(document, "/dpv:hasProcess");
    let purposes = processes
        .list()?
        .iter()
        .map(|process| Member(process, "/dct:identifier").parse())
        .collect::<Result<Purposes, _>>()?;
    match purposes.is_empty() {
        true => Err(processes.wrong("names no purpose")),
        false => Ok(purposes),
    }
}

fn age_band(document: &Value) -> Result<AgeBand, DocumentError> {
    let stated = Member(document, "/dpv:hasDataSubject/@type");
    [AgeBand::Adult, AgeBand::Child, AgeBand::Unknown]
        .into_iter()
        .find(|&band| stated.value() == Some(&subject(band)))
        .ok_or_else(|| stated.wrong("is not an age band"))
}

fn guardian(event: &Value) -> Result<GuardianApproval, DocumentError> {
    let method = Member(event, "/dpv:hasIndicationMethod");
    let named = method.text()?.strip_prefix(GUARDIAN_METHOD);
    let evidence = Member(event, "/sordino:evidence-hash");
    Ok(GuardianApproval {
        method: GuardianMethod::ALL
            .into_iter()
            .find(|method| named == Some(method.as_str()))
            .ok_or_else(|| method.wrong("is not a method of a guardian's approval"))?,
        week: Member(event, "/dpv:isIndicatedAtTime").parse()?,
        evidence: match evidence.value() {
            Some(_) => Some(evidence.parse::<EvidenceHash>()?),
            None => None,
        },
    })
}

fn sha256(document: &Value) -> Result<String, DocumentError> {
    let stated = Member(document, "/dpv:hasNotice/schema:sha256");
    let digits = stated.text()?;
    match hex::decode::<32>(digits) {
        Some(_) => Ok(digits.to_owned()),
        None => Err(stated.wrong("is not a SHA-256 hash of 64 lower-case hexadecimal digits")),
    }
}

fn organization(controller: &Value) -> Result<Organization, DocumentError> {
    let id = Member(controller, "/@id");
    let key = id.text()?.strip_prefix(ORGANIZATION);
    let key = key.and_then(|key| key.parse().ok());
    Ok(Organization {
        key: key.ok_or_else(|| id.wrong("is not an organization's key"))?,
        named: named(controller)?,
    })
}

fn named(controller: &Value) -> Result<Option<Controller>, DocumentError> {
    let name = Member(controller, "/dpv:hasName");
    if name.value().is_none() {
        return Ok(None);
    }
    let country = Member(controller, "/dpv:hasCountry");
    let named = Controller {
        name: name.text()?.to_owned(),
        contact: Member(controller, "/dpv:hasContact").text()?.to_owned(),
        country: match country.value() {
            Some(_) => Some(country.text()?.replacen("loc:", "", 1)),
            None => None,
        },
    };
    match named.check_bounds() {
        Ok(()) => Ok(Some(named)),
        Err((_, reason)) => Err(Member(controller, "/dpv:hasDataController").wrong(reason)),
    }
}

/// The value at a JSON pointer (RFC 6901).
struct Member<'a>(&'a Value, &'static str);

impl<'a> Member<'a> {
    fn value(&self) -> Option<&'a Value> {
        self.0.pointer(self.1)
    }

    fn list(&self) -> Result<&'a Vec<Value>, DocumentError> {
        self.value()
            .and_then(Value::as_array)
            .ok_or_else(|| self.wrong("is missing, or no list"))
    }

    fn text(&self) -> Result<&'a str, DocumentError> {
        self.value()
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong("is missing, or no text"))
    }

    fn parse<T: FromStr>(&self) -> Result<T, DocumentError> {
        self.text()?
            .parse()
            .map_err(|_| self.wrong("is not what schema 2 has there"))
    }

    fn number(&self) -> Result<u32, DocumentError> {
        self.value()
            .and_then(Value::as_u64)
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| self.wrong("is missing, or no number from 0 to 2^32 - 1"))
    }

    fn wrong(&self, reason: &'static str) -> DocumentError {
        DocumentError::Member {
            member: self.1.trim_start_matches('/').to_owned(),
            reason,
        }
    }
}

/// Checks that `given` equals `written`, except for descriptions.
fn check_same(written: &Value, given: &Value, at: &str) -> Result<(), DocumentError> {
    let wrong = |member: String, reason| {
        Err(DocumentError::Member {
            member: member.trim_start_matches('/').to_owned(),
            reason,
        })
    };
    match (written, given) {
        (Value::Object(written), Value::Object(given)) => {
            if let Some(stranger) = given.keys().find(|&name| !written.contains_key(name)) {
                return wrong(format!("{at}/{stranger}"), "is not known to schema 2");
            }
            for (name, member) in written {
                let at = format!("{at}/{name}");
                match given.get(name) {
                    None => return wrong(at, "is missing"),
                    Some(text) if name == "dct:description" && is_description(text) => {}
                    Some(given) => check_same(member, given, &at)?,
                }
            }
            Ok(())
        }
        (Value::Array(written), Value::Array(given)) if written.len() == given.len() => written
            .iter()
            .zip(given)
            .enumerate()
            .try_for_each(|(index, (written, given))| {
                check_same(written, given, &format!("{at}/{index}"))
            }),
        _ if written == given => Ok(()),
        _ => wrong(at.to_owned(), "is not what schema 2 has there"),
    }
}

/// Descriptions may be improved without a new schema.
fn is_description(text: &Value) -> bool {
    text.as_str()
        .is_some_and(|text| (1..=MAX_DESCRIPTION_LENGTH).contains(&text.chars().count()))
}
