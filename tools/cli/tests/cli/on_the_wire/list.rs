//! The list, and what is found outside of it.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

use super::{
    opened::{self, Entry},
    request::Sent,
};
use crate::facts::{
    Facts,
    wire::{Body, Document, Request, Shape},
};

/// The list.
pub(crate) static FACTS: LazyLock<Facts> = LazyLock::new(Facts::load);

/// Findings, and the entries of the list that were seen.
#[derive(Default)]
pub(crate) struct Findings {
    /// Each thing that is not on the list.
    pub(crate) found: Vec<String>,
    /// Each thing on the list that was met.
    pub(crate) seen: BTreeSet<String>,
}

impl Findings {
    /// Method, path, headers, and a JSON body. A sample's body is for [`Self::age_file`].
    pub(crate) fn request(&mut self, sent: &Sent) {
        let mut requests = FACTS.request.iter();
        let Some(listed) =
            requests.find(|listed| listed.method == sent.method && whole(&listed.path, &sent.path))
        else {
            let line = format!("no request on the list: {} {}", sent.method, sent.path);
            return self.found.push(line);
        };
        let name = &listed.name;
        self.seen.insert(name.to_owned());
        self.headers(listed, sent);
        if let Some(document) = document(listed.body) {
            match serde_json::from_slice(&sent.body) {
                Ok(json) => self.json(name, document, "", &json),
                Err(error) => self.found.push(format!("{name}: no JSON: {error}")),
            }
        } else if listed.body == Body::Empty && !sent.body.is_empty() {
            self.found.push(format!("{name}: body"));
        }
    }

    fn headers(&mut self, listed: &Request, sent: &Sent) {
        let mut met = BTreeSet::new();
        for (header, value) in &sent.headers {
            let at = format!("{}: header {header}", listed.name);
            let field = listed.fields.iter().find(|field| field.name == *header);
            let fits = field.is_some_and(|field| fits_text(&field.shape, value));
            if fits && met.insert(header) {
                self.seen.insert(at);
            } else {
                self.found.push(format!("{at}: {value}"));
            }
        }
    }

    /// A value and all below it. `at` is the path of the member.
    fn json(&mut self, name: &str, document: &Document, at: &str, value: &Value) {
        let line = format!("{name}: member {at}");
        // The document itself is an object, and not a member.
        let shape = match at {
            "" => Some(&Shape::Object),
            at => (document.shapes().find(|(member, _)| *member == at)).map(|(_, shape)| shape),
        };
        if !shape.is_some_and(|shape| fits_json(shape, value)) {
            return self.found.push(format!("{line}: {value}"));
        }
        if !at.is_empty() {
            self.seen.insert(line);
        }
        if matches!(shape, Some(Shape::Always(_))) {
            return;
        }
        match value {
            Value::Object(members) => {
                for (member, value) in members {
                    let separator = if at.is_empty() { "" } else { "." };
                    self.json(name, document, &format!("{at}{separator}{member}"), value);
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.json(name, document, &format!("{at}[]"), element);
                }
            }
            _ => (),
        }
    }

    /// The sealed sample, as seen without a key; `recipients` is the plan's count.
    pub(crate) fn age_file(&mut self, file: &[u8], recipients: usize) {
        let [version, share, body, last] =
            [0, 1, 2, 3].map(|layer: usize| &FACTS.age_file[layer].looks);
        let stanza = format!("{share}\n{body}\n");
        let header = format!("{version}\n({stanza}){{{recipients}}}{last}\n");
        // Bytes of base64 and of the lines' beginnings; what follows is ciphertext.
        let longest = 60 + 110 * recipients + 60;
        let head = String::from_utf8_lossy(&file[..longest.min(file.len())]);
        let Some(found) = Regex::new(&format!("^{header}")).unwrap().find(&head) else {
            return self.found.push("age file: header".to_owned());
        };
        let payload = file.len() - found.end();
        if !is_padded(payload) {
            self.found.push(format!("age file: length {payload}"));
        }
    }

    /// The sealed sample, as seen by its reader.
    pub(crate) fn archive(&mut self, plaintext: &[u8]) {
        let entries = opened::entries(plaintext);
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        if names != ["manifest.json", "audio.flac"] {
            return self.found.push(format!("archive: {names:?}"));
        }
        for entry in &entries {
            let Entry {
                name,
                mode,
                owners,
                time,
                ..
            } = entry;
            if *mode != 0o644 || owners != "0:0::" || *time != 0 {
                self.found.push(format!(
                    "archive: header of {name}: {mode:o} {owners} {time}"
                ));
            }
        }
        match serde_json::from_slice(&entries[0].content) {
            Ok(json) => self.json("manifest", &FACTS.manifest, "", &json),
            Err(error) => self.found.push(format!("manifest: no JSON: {error}")),
        }
        if let Err(reason) = opened::check_flac(&entries[1].content) {
            self.found.push(format!("audio.flac: {reason}"));
        }
    }
}

/// The JSON document that a request carries, if it carries one.
pub(crate) fn document(body: Body) -> Option<&'static Document> {
    match body {
        Body::Registration => Some(&FACTS.registration),
        Body::Withdrawal => Some(&FACTS.withdrawal),
        Body::Empty | Body::Sample => None,
    }
}

fn whole(pattern: &str, text: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$"))
        .unwrap()
        .is_match(text)
        && !text.contains('\n')
}

fn fits_text(shape: &Shape, text: &str) -> bool {
    match shape {
        Shape::Text(pattern) => whole(pattern, text),
        Shape::OneOf(names) => names.iter().any(|name| name == text),
        Shape::Whole(least, most) => {
            let number: Option<u64> = text.parse().ok();
            number.is_some_and(|number| (*least..=*most).contains(&number))
        }
        _ => false,
    }
}

fn fits_json(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Text(_) | Shape::OneOf(_), Value::String(text)) => fits_text(shape, text),
        (Shape::Whole(least, most), Value::Number(number)) => number
            .as_u64()
            .is_some_and(|number| (*least..=*most).contains(&number)),
        (Shape::Number(least, most), Value::Number(number)) => number
            .as_f64()
            .is_some_and(|number| (*least..=*most).contains(&number)),
        (Shape::Always(json), value) => serde_json::from_str::<Value>(json).unwrap() == *value,
        (Shape::Flag, Value::Bool(_)) | (Shape::Object, Value::Object(_)) => true,
        (Shape::List(most), Value::Array(elements)) => elements.len() <= *most,
        _ => false,
    }
}

/// Whether a payload of age (nonce, pieces of 64 KiB with a tag each) holds one of the lengths of PADMÉ
/// from 32 KiB on; written from the paper, not from our code.
fn is_padded(payload: usize) -> bool {
    const NONCE: usize = 16;
    const PIECE: usize = 65_536;
    const TAG: usize = 16;
    let Some(sealed) = payload.checked_sub(NONCE) else {
        return false;
    };
    let pieces = sealed.div_ceil(PIECE + TAG);
    let Some(length) = sealed.checked_sub(pieces * TAG) else {
        return false;
    };
    if length < 32_768 {
        return false;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    length.trailing_zeros() >= exponent - kept
}
