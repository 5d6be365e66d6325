//! A collector's access log as docs/protocol.md and RFC 9162 define it, by their recursions: it shares no code with the
//! verification.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::{Id, upload::TreeHash};

/// A log that grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestLog {
    /// The entries as they are published.
    entries: Vec<Value>,
    leaves: Vec<TreeHash>,
}

impl TestLog {
    /// A log with this number of accesses to other samples.
    pub(crate) fn with_others(entries: usize) -> Self {
        let mut log = Self::default();
        (0..entries).for_each(|_| log.hand_out(Id::random().unwrap()));
        log
    }

    /// Records an access to `sample`.
    pub(crate) fn hand_out(&mut self, sample: Id) {
        self.hand_out_to(sample, "desk");
    }

    pub(crate) fn hand_out_to(&mut self, sample: Id, reader: &str) {
        let sequence = self.entries.len() + 1;
        let previous = self.hash();
        let content = format!(
            "{{\"previous\":\"{previous}\",\"purpose\":\"quality-assurance\",\"reader\":{},\"sample\":\"{sample}\",\
             \"sequence\":{sequence},\"week\":\"2026-W10\"}}",
            json!(reader)
        );
        self.leaves.push(hashed(&[&[0], content.as_bytes()]));
        let mut entry: Value = serde_json::from_str(&content).unwrap();
        entry["hash"] = json!(hashed(&[content.as_bytes()]));
        self.entries.push(entry);
    }

    /// Without its last entries.
    pub(crate) fn cut(&mut self, entries: usize) {
        self.entries.truncate(entries);
        self.leaves.truncate(entries);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The collector's response about `sample` to a device that last saw the head after `seen` entries.
    pub(crate) fn answer(&self, sample: Id, seen: u64) -> Value {
        let accesses = self.entries.iter().zip(0..);
        let accesses = accesses.filter(|(entry, _)| entry["sample"] == sample.to_string());
        let accesses = accesses.map(|(entry, index)| {
            json!({
                "purpose": entry["purpose"], "week": entry["week"], "reader": entry["reader"],
                "entry": entry["sequence"], "hash": entry["hash"], "previous": entry["previous"],
                "proof": inclusion(index, &self.leaves),
            })
        });
        let mut answer = json!({
            "accesses": accesses.collect::<Vec<_>>(),
            "head": {"entries": self.len(), "hash": self.hash(), "root": root(&self.leaves)},
        });
        if usize::try_from(seen).unwrap() <= self.len() {
            answer["consistency"] = json!(consistency(seen as usize, &self.leaves));
        }
        answer
    }

    fn hash(&self) -> String {
        match self.entries.last() {
            Some(entry) => entry["hash"].as_str().unwrap().to_owned(),
            None => "0".repeat(64),
        }
    }
}

/// `PATH(m, D[n])` of section 2.1.3.1, word for word.
pub(crate) fn inclusion(index: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = match index < left.len() {
        true => (inclusion(index, left), root(right)),
        false => (inclusion(index - left.len(), right), root(left)),
    };
    path.push(sibling);
    path
}

/// `PROOF(m, D[n])` of section 2.1.4.1, word for word.
pub(crate) fn consistency(earlier: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
    match earlier {
        0 => Vec::new(),
        _ => subproof(earlier, leaves, true),
    }
}

fn subproof(earlier: usize, leaves: &[TreeHash], is_earlier_tree: bool) -> Vec<TreeHash> {
    if earlier == leaves.len() {
        return match is_earlier_tree {
            true => Vec::new(),
            false => vec![root(leaves)],
        };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, sibling) = match earlier <= left.len() {
        true => (subproof(earlier, left, is_earlier_tree), root(right)),
        false => (subproof(earlier - left.len(), right, false), root(left)),
    };
    proof.push(sibling);
    proof
}

fn split(size: usize) -> usize {
    (0..)
        .map(|power| 1 << power)
        .take_while(|power| *power < size)
        .last()
        .unwrap()
}

/// `MTH(D[n])` of section 2.1.1.
fn root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => hashed(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            hashed(&[&[1], root(left).as_bytes(), root(right).as_bytes()])
        }
    }
}

fn hashed(parts: &[&[u8]]) -> TreeHash {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, &parts.concat()).as_ref());
    bytes.into()
}
