//! The JSON-LD form of a record: the fields of ISO/IEC TS 27560:2023, mapped as in the W3C
//! community's guide (<https://w3id.org/dpv/guides/consent-27560>).
//!
//! [`statements`] has the parts that are the same in every record. Reading is strict: a document is accepted only if the
//! record that it states would be written exactly like it, except for descriptions.

mod flat;
mod reading;
mod statements;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};

use super::{AgeBand, GuardianApproval, Organization, Record};
use crate::{purpose::Purpose, week::Week};

/// The profile of the guide, and the name of this schema without its number.
const PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#record";
const SCHEMA: &str = "urn:sordino:schema:consent-record:";
const RECORD: &str = "urn:sordino:consent-record:";
const ORGANIZATION: &str = "urn:sordino:organisation:";
const PURPOSE: &str = "urn:sordino:purpose:";
const GUARDIAN_METHOD: &str = "urn:sordino:guardian-method:";

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reading::read(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The unsigned document of `record`.
fn write(record: &Record) -> Value {
    let organization = record.controller.as_ref();
    let processes = record.purposes.iter();
    let mut document = json!({
        "@context": context(),
        "@id": format!("{RECORD}{}", record.id),
        "@type": ["dpv:ConsentRecord", "dpv:ConsentReceipt"],
        "dct:conformsTo": [PROFILE, format!("{SCHEMA}{}", record.schema)],
        "dct:identifier": record.id,
        "schema:version": record.revision,
        "dpv:hasDataSubject": {
            "@type": subject(record.age_band),
            // A pseudonym for this record only.
            "dct:identifier": record.id,
        },
        "dpv:hasNotice": {
            "@type": "dpv:ConsentNotice",
            "schema:version": record.notice.version,
            "schema:sha256": record.notice.sha256,
            "dct:language": record.notice.language,
        },
        "dpv:hasProcess": processes
            .map(|purpose| process(purpose, organization))
            .collect::<Vec<_>>(),
        "dpv:hasConsentStatus": events(record),
    });
    if let Some(organization) = organization {
        document["dpv:hasDataController"] = controller(organization);
        if let Some(country) = country(organization) {
            document["dpv:hasJurisdiction"] = country;
        }
    }
    document
}

/// Inline, so that nothing has to be fetched.
fn context() -> Value {
    let mut context = json!({
        "dct": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "loc": "https://w3id.org/dpv/loc#",
        "pd": "https://w3id.org/dpv/pd#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "schema": "https://schema.org/",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "sordino": "urn:sordino:",
    });
    for links in [
        "dct:conformsTo",
        "dpv:hasCountry",
        "dpv:hasDataController",
        "dpv:hasIndicationMethod",
        "dpv:hasJurisdiction",
        "dpv:hasLegalBasis",
        "dpv:hasLocation",
        "dpv:hasProcessing",
        "dpv:hasPurpose",
        "dpv:isIndicatedBy",
        "skos:broader",
    ] {
        context[links] = json!({"@type": "@id"});
    }
    context
}

fn subject(age_band: AgeBand) -> Value {
    match age_band {
        AgeBand::Adult => json!(["dpv:DataSubject", "dpv:Adult"]),
        AgeBand::Child => json!(["dpv:DataSubject", "dpv:Child"]),
        AgeBand::Unknown => json!(["dpv:DataSubject"]),
    }
}

fn controller(organization: &Organization) -> Value {
    let id = format!("{ORGANIZATION}{}", organization.key);
    let mut controller = json!({
        "@id": id,
        "@type": "dpv:DataController",
        "dpv:hasIdentifier": id,
    });
    if let Some(named) = &organization.named {
        controller["dpv:hasName"] = json!(named.name);
        controller["dpv:hasContact"] = json!(named.contact);
    }
    if let Some(country) = country(organization) {
        controller["dpv:hasCountry"] = country;
    }
    controller
}

fn country(organization: &Organization) -> Option<Value> {
    let country = organization.named.as_ref()?.country.as_ref()?;
    Some(json!(format!("loc:{country}")))
}

/// The processing for one purpose.
fn process(purpose: Purpose, organization: Option<&Organization>) -> Value {
    let stated = statements::purpose(purpose);
    let mut process = json!({
        "@type": "dpv:Process",
        "dct:identifier": purpose,
        "dpv:hasPurpose": {
            "@id": format!("{PURPOSE}{purpose}"),
            "@type": "dpv:Purpose",
            "skos:broader": stated.term,
            "dct:description": stated.description,
        },
        "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent",
        "dpv:hasPersonalData": statements::PERSONAL_DATA.map(|data| json!({
            // Under a random id: not anonymous to the holder of the record's key.
            "@type": "dpv:PseudonymisedData",
            "dct:identifier": data.identifier,
            "skos:broader": data.term,
            "dct:description": data.description,
        })),
        "dpv:hasProcessing": statements::PROCESSING,
        "dpv:hasDataSource": {
            "@type": "dpv:DataSubjectDataSource",
            "dct:description": statements::SOURCE,
        },
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": statements::LOCATIONS},
            {
                "@type": "dpv:StorageDuration",
                "dpv:hasDuration": {
                    "@type": "dpv:UntilEventDuration",
                    "dct:description": statements::RETENTION,
                },
            },
            {"@type": "dpv:StorageDeletion", "dct:description": statements::DELETION},
        ],
        "dpv:hasRecipient": {
            "@type": ["dpv:Recipient", "dpv:DataController"],
            "dct:description": statements::RECIPIENTS,
        },
        "dpv:hasProhibition": {
            "@type": "dpv:Prohibition",
            "dpv:hasPurpose": "dpv:SellDataToThirdParties",
            "dct:description": statements::NO_THIRD_PARTY,
        },
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dpv:isExercisedAt": statements::EXERCISED_AT,
            "dct:description": statements::WITHDRAWAL,
        },
        "dpv:hasRight": statements::RIGHTS.map(|(identifier, description)| json!({
            "@type": ["dpv:DataSubjectRight", "dpv:ActiveRight"],
            "dct:identifier": identifier,
            "dpv:isExercisedAt": statements::EXERCISED_AT,
            "dct:description": description,
        })),
    });
    if let Some(organization) = organization {
        process["dpv:hasDataController"] = json!(format!("{ORGANIZATION}{}", organization.key));
    }
    process
}

/// The person's consent and, if there is one, the guardian's. If a guardian must approve, the
/// person's own event is a request.
fn events(record: &Record) -> Vec<Value> {
    let state = match record.age_band.needs_guardian() {
        true => "dpv:ConsentRequested",
        false => "dpv:ConsentGiven",
    };
    let own = event(record, state, "dpv:DataSubject", record.given);
    let guardian = record.guardian.map(|approval| {
        let GuardianApproval {
            method,
            week,
            evidence,
        } = approval;
        let mut event = event(
            record,
            "dpv:ConsentGiven",
            "dpv:GuardianOfDataSubject",
            week,
        );
        event["dpv:hasIndicationMethod"] = json!(format!("{GUARDIAN_METHOD}{method}"));
        if let Some(evidence) = evidence {
            event["sordino:evidence-hash"] = json!(evidence);
        }
        event
    });
    [own].into_iter().chain(guardian).collect()
}

fn event(record: &Record, state: &str, who: &str, week: Week) -> Value {
    json!({
        "@type": state,
        "dpv:isIndicatedBy": who,
        "dpv:isIndicatedAtTime": week,
        "dpv:hasDuration": {
            "@type": "dpv:UntilTimeDuration",
            "rdf:value": record.holds_until,
        },
    })
}
