//! The chain and the tree of the access log, by docs/protocol.md and RFC 9162.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::*;

/// The `previous` hash of the first entry of the access log.
pub(crate) const NO_ENTRY: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// The first entry that violates the chain of docs/protocol.md: numbers without gaps, each hash
/// matches its entry, each entry is chained to the previous one.
pub(crate) fn first_break(log: &[Value]) -> Option<usize> {
    let mut previous = json!(NO_ENTRY);
    (1..).zip(log).find_map(|(number, entry)| {
        let hash = json!(sha256(canonical(entry).as_bytes()));
        let fits = entry["sequence"] == number
            && entry["previous"] == previous
            && entry["hash"] == hash
            && entry.as_object().unwrap().len() == HASHED.len() + 1;
        previous = hash;
        (!fits).then_some(number)
    })
}

/// The members of an entry that its hash covers, in order.
const HASHED: [&str; 6] = [
    "previous", "purpose", "reader", "sample", "sequence", "week",
];

/// An entry without its hash, in the canonical form of RFC 8785.
pub(crate) fn canonical(entry: &Value) -> String {
    let pairs = HASHED.map(|member| format!("\"{member}\":{}", entry[member]));
    format!("{{{}}}", pairs.join(","))
}

/// The head of a log, with the root of its tree.
pub(crate) fn head_of(log: &[Value]) -> Value {
    let hash = log
        .last()
        .map_or(json!(NO_ENTRY), |last| last["hash"].clone());
    json!({"entries": log.len(), "hash": hash, "root": hex(&tree_hash(&leaves(log)))})
}

/// The hash of each entry's leaf: RFC 9162, section 2.1.1.
pub(crate) fn leaves(log: &[Value]) -> Vec<Vec<u8>> {
    let leaf = |entry| digest(&SHA256, format!("\0{}", canonical(entry)).as_bytes());
    log.iter()
        .map(|entry| leaf(entry).as_ref().to_vec())
        .collect()
}

/// `MTH(D[n])` of that section.
pub(crate) fn tree_hash(leaves: &[Vec<u8>]) -> Vec<u8> {
    let hashed = |content: &[u8]| digest(&SHA256, content).as_ref().to_vec();
    match leaves {
        [] => hashed(&[]),
        [leaf] => leaf.clone(),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            hashed(&[vec![1], tree_hash(left), tree_hash(right)].concat())
        }
    }
}

/// The largest power of two smaller than `n`.
pub(crate) fn split(leaves: usize) -> usize {
    let powers = (0..).map(|power| 1 << power);
    powers.take_while(|power| *power < leaves).last().unwrap()
}

#[track_caller]
pub(crate) fn assert_chained(log: &[Value]) {
    assert_eq!(first_break(log), None, "{log:#?}");
}
