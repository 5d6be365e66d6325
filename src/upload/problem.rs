//! Problem documents (RFC 9457) and their meaning for a task.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::HttpResponse;
use crate::purpose::Purposes;

/// The prefix of every `type` of a collector.
const TYPES: &str = "urn:sordino:problem:";

/// A problem document of a collector.
#[derive(Debug, Default)]
pub(super) struct Problem {
    kind: String,
    title: String,
    detail: String,
    /// The purposes that were withdrawn from the record, or never granted, if the problem is about
    /// that.
    purposes: Option<Vec<String>>,
    /// The revision of the record that the collector knows, if the problem is about that.
    revision: Option<u32>,
}

/// The meaning of a refusal, by the `type` of the problem alone: proxies send statuses too.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// These purposes of the record are withdrawn, whether or not this device knows.
    Withdrawn(Purposes),
    /// The collector knows a newer revision of the record, from which these purposes were
    /// withdrawn.
    Stale {
        /// The known revision.
        revision: u32,
        /// The withdrawn purposes.
        withdrawn: Purposes,
    },
    /// The collector does not know the record.
    UnknownRecord,
    /// The sample was deleted.
    Deleted,
    /// No plan of the collector asks for what the record grants.
    NotAsked,
    /// The sample is sealed to other recipients than the collector's plans name.
    WrongRecipients,
    /// The request can never succeed: the sample is too large, not sealed, or another one exists
    /// under its id.
    Permanent,
    /// The request may succeed later: it may have been corrupted in transit, or the cause may
    /// change.
    Temporary,
}

impl Problem {
    pub(super) fn from_response(response: &HttpResponse) -> Self {
        let document = serde_json::from_slice(&response.body);
        let document: Map<String, Value> = document.unwrap_or_default();
        Self {
            kind: member(&document, "type").unwrap_or_default(),
            title: member(&document, "title").unwrap_or_default(),
            detail: member(&document, "detail").unwrap_or_default(),
            purposes: member(&document, "purposes"),
            revision: member(&document, "revision"),
        }
    }

    pub(super) fn refusal(&self) -> Refusal {
        match self.kind.strip_prefix(TYPES).unwrap_or_default() {
            "withdrawn" | "not-granted" => {
                // Without a list, or with one that this version does not understand: all purposes.
                Refusal::Withdrawn(self.purposes().unwrap_or_else(Purposes::all))
            }
            "stale-revision" => match self.revision {
                Some(revision) => Refusal::Stale {
                    revision,
                    withdrawn: self.purposes().unwrap_or_default(),
                },
                None => Refusal::Temporary,
            },
            "unknown-record" => Refusal::UnknownRecord,
            "unknown-purpose" => Refusal::NotAsked,
            "deleted" => Refusal::Deleted,
            "wrong-recipients" => Refusal::WrongRecipients,
            "too-large" | "not-sealed" | "different-content" | "not-yours" => Refusal::Permanent,
            _ => Refusal::Temporary,
        }
    }

    fn purposes(&self) -> Option<Purposes> {
        let names = self.purposes.as_ref()?;
        let purposes: Option<Vec<_>> = names.iter().map(|name| name.parse().ok()).collect();
        purposes
            .map(Purposes::from_iter)
            .filter(|purposes| !purposes.is_empty())
    }
}

/// A member, parsed separately: a member of an unexpected type is ignored (RFC 9457 section 3.1).
fn member<T: DeserializeOwned>(document: &Map<String, Value>, name: &str) -> Option<T> {
    serde_json::from_value(document.get(name)?.clone()).ok()
}

/// The problem in one line.
pub(super) fn problem(response: &HttpResponse) -> String {
    let Problem { title, detail, .. } = Problem::from_response(response);
    let said = if detail.is_empty() { title } else { detail };
    let said: String = said
        .chars()
        .filter(|letter| !letter.is_control())
        .take(300)
        .collect();
    match said.is_empty() {
        true => format!("the collector answered with status {}", response.status),
        false => format!("{said} (status {})", response.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{RESEARCH, both};

    fn refusal(document: &str) -> Refusal {
        Problem::from_response(&HttpResponse {
            status: 403,
            headers: Vec::new(),
            body: document.as_bytes().to_vec(),
        })
        .refusal()
    }

    #[test]
    fn a_withdrawal_without_known_purposes_covers_all() {
        for (rest, withdrawn) in [
            ("", both()),
            (r#", "purposes": []"#, both()),
            (r#", "purposes": ["something-new"]"#, both()),
            (r#", "purposes": "quality-assurance""#, both()),
            (r#", "purposes": [1], "revision": -1"#, both()),
            (r#", "title": 5, "detail": null"#, both()),
            (r#", "purposes": ["recognition-research"]"#, RESEARCH.into()),
        ] {
            for kind in ["withdrawn", "not-granted"] {
                let document = format!(r#"{{"type": "urn:sordino:problem:{kind}"{rest}}}"#);
                assert_eq!(refusal(&document), Refusal::Withdrawn(withdrawn.clone()));
            }
        }
    }

    #[test]
    fn unknown_problems_are_temporary() {
        for document in [
            "",
            "<html>Forbidden</html>",
            "[]",
            "{}",
            r#"{"type": 7}"#,
            r#"{"type": "about:blank"}"#,
            r#"{"type": "deleted"}"#,
            r#"{"type": "urn:sordino:problem:something-new"}"#,
            r#"{"type": "urn:sordino:problem:malformed"}"#,
            r#"{"type": "urn:sordino:problem:bad-digest"}"#,
            r#"{"type": "urn:sordino:problem:bad-signature"}"#,
            r#"{"type": "urn:sordino:problem:stale-revision"}"#,
        ] {
            assert_eq!(refusal(document), Refusal::Temporary, "{document}");
        }
    }
}
