//! The Merkle tree over the access log (RFC 9162, section 2.1): which hashes are stored and which form a proof. No I/O.
//!
//! The roots of complete subtrees are stored. They never change once their leaves exist, and any other hash of a tree
//! of any size is computed from at most one of them per level. An append, a root and a proof therefore need a
//! logarithmic number of look-ups.

use sordino::upload::merkle::{TreeHash, empty_root, node_hash};

/// A complete subtree: the 2^`level` leaves from `position` · 2^`level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node {
    pub(crate) level: u32,
    pub(crate) position: u64,
}

/// A range of leaves whose hash is part of a tree or a proof: `MTH(D[start:end])` in the RFC. Every range of the RFC
/// begins at a multiple of the largest power of two that is not larger than its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u64,
    end: u64,
}

impl Span {
    /// The complete subtrees from left to right, in decreasing size.
    pub(crate) fn nodes(self) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut start = self.start;
        while start < self.end {
            let level = (self.end - start).ilog2();
            nodes.push(Node {
                level,
                position: start >> level,
            });
            start += 1 << level;
        }
        nodes
    }

    /// The root hash, if `stored` has all nodes.
    pub(crate) fn hash(self, stored: impl Fn(Node) -> Option<TreeHash>) -> Option<TreeHash> {
        let hashes: Option<Vec<_>> = self.nodes().into_iter().map(stored).collect();
        Some(join_hashes(&hashes?))
    }
}

/// The inclusion proof of the leaf at `index` in the tree of `size` leaves (section 2.1.3.1); empty if there is no such
/// leaf.
pub(crate) fn inclusion_proof(index: u64, size: u64) -> Vec<Span> {
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while index < size && end - start > 1 {
        let middle = split_point(start, end);
        if index < middle {
            proof.push(Span { start: middle, end });
            end = middle;
        } else {
            proof.push(Span { start, end: middle });
            start = middle;
        }
    }
    proof.reverse();
    proof
}

/// The consistency proof between the trees of `earlier` and of `size` leaves (section 2.1.4.1); empty if there is
/// nothing to prove.
pub(crate) fn consistency_proof(earlier: u64, size: u64) -> Vec<Span> {
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while 0 < earlier && earlier < end {
        let middle = split_point(start, end);
        if earlier <= middle {
            proof.push(Span { start: middle, end });
            end = middle;
        } else {
            proof.push(Span { start, end: middle });
            start = middle;
        }
    }
    // Without a split to the left, the remaining range is the earlier root, which is known.
    if start > 0 {
        proof.push(Span { start, end });
    }
    proof.reverse();
    proof
}

/// The right edge of a tree, which is needed to append to it.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    size: u64,
    /// The hash of each of [`Edge::nodes`].
    hashes: Vec<TreeHash>,
}

impl Edge {
    /// The nodes at the edge of a tree with `size` leaves.
    pub(crate) fn nodes(size: u64) -> Vec<Node> {
        Span {
            start: 0,
            end: size,
        }
        .nodes()
    }

    /// The edge of a tree with `size` leaves; `hashes` are those of [`Edge::nodes`].
    pub(crate) fn new(size: u64, hashes: Vec<TreeHash>) -> Self {
        Self { size, hashes }
    }

    /// The number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and returns the nodes that it completes, beginning with itself.
    pub(crate) fn push(&mut self, leaf: TreeHash) -> Vec<(Node, TreeHash)> {
        let leaves = Node {
            level: 0,
            position: self.size,
        };
        let mut completed = vec![(leaves, leaf)];
        let (mut node, mut hash) = (leaves, leaf);
        while node.position & 1 == 1
            && let Some(left) = self.hashes.pop()
        {
            hash = node_hash(&left, &hash);
            node = Node {
                level: node.level + 1,
                position: node.position >> 1,
            };
            completed.push((node, hash));
        }
        self.hashes.push(hash);
        self.size += 1;
        completed
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> TreeHash {
        join_hashes(&self.hashes)
    }
}

/// The hash over complete subtrees in decreasing size.
fn join_hashes(hashes: &[TreeHash]) -> TreeHash {
    let joined = hashes.iter().rev().copied();
    joined
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(empty_root)
}

/// The index at which the RFC splits a range of two or more leaves.
fn split_point(start: u64, end: u64) -> u64 {
    start + (1 << (end - start - 1).ilog2())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use ring::digest::{SHA256, digest};
    use sordino::upload::merkle::{leaf_hash, verify_consistency, verify_inclusion};

    use super::*;

    /// The number of leaves of the largest tree.
    const MAX_LEAVES: usize = 64;

    #[test]
    fn roots_and_proofs_match_the_recursive_definitions() {
        let leaves: Vec<_> = (0..MAX_LEAVES)
            .map(|leaf| leaf_hash(&[leaf as u8]))
            .collect();
        let mut edge = Edge::new(0, Vec::new());
        let mut stored = HashMap::new();
        for size in 0..=MAX_LEAVES {
            assert_eq!(edge.size(), size as u64);
            assert_eq!(edge.root(), mth(&leaves[..size]));
            // The stored nodes form the same edge.
            let nodes = Edge::nodes(size as u64).into_iter();
            let again = Edge::new(size as u64, nodes.map(|node| stored[&node]).collect());
            assert_eq!(again.root(), edge.root());

            let hashes = |spans: Vec<Span>| -> Vec<TreeHash> {
                let looked_up = spans.into_iter();
                looked_up
                    .map(|span| span.hash(|node| stored.get(&node).copied()).unwrap())
                    .collect()
            };
            let of = |leaves: &[TreeHash]| (leaves.len() as u64, mth(leaves));
            let (length, root) = of(&leaves[..size]);
            for (index, leaf) in leaves[..size].iter().enumerate() {
                let proof = hashes(inclusion_proof(index as u64, length));
                assert_eq!(proof, path(index, &leaves[..size]));
                assert!(verify_inclusion(leaf, index as u64, length, &root, &proof));
            }
            for earlier in 0..=size {
                let proof = hashes(consistency_proof(earlier as u64, length));
                let expected = match earlier {
                    0 => Vec::new(),
                    _ => subproof(earlier, &leaves[..size], true),
                };
                assert_eq!(proof, expected);
                let (earlier, before) = of(&leaves[..earlier]);
                assert!(verify_consistency(earlier, &before, length, &root, &proof));
            }
            assert_eq!(inclusion_proof(length, length), []);
            assert_eq!(consistency_proof(length + 1, length), []);
            if let Some(leaf) = leaves.get(size) {
                for (node, hash) in edge.push(*leaf) {
                    assert_eq!(stored.insert(node, hash), None);
                }
            }
        }
    }

    #[test]
    fn a_proof_has_at_most_one_hash_per_level() {
        for size in [1_u64 << 62, (1 << 62) - 1, i64::MAX as u64, 1_000_003] {
            assert!(Edge::nodes(size).len() <= 63);
            for index in [0, size / 3, size - 1] {
                let proof = inclusion_proof(index, size);
                assert!(proof.len() <= 63 && proof.iter().all(|span| span.nodes().len() <= 63));
                assert!(consistency_proof(index, size).len() <= 64);
            }
        }
    }

    // The recursive definitions of section 2.1.

    fn mth(leaves: &[TreeHash]) -> TreeHash {
        let of = |content: &[u8]| {
            let mut bytes = [0; 32];
            bytes.copy_from_slice(digest(&SHA256, content).as_ref());
            TreeHash::from(bytes)
        };
        match leaves {
            [] => of(&[]),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(k(leaves.len()));
                of(&[&[1][..], mth(left).as_bytes(), mth(right).as_bytes()].concat())
            }
        }
    }

    fn path(m: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = k(leaves.len());
        let (left, right) = leaves.split_at(k);
        match m < k {
            true => [path(m, left), vec![mth(right)]].concat(),
            false => [path(m - k, right), vec![mth(left)]].concat(),
        }
    }

    fn subproof(m: usize, leaves: &[TreeHash], b: bool) -> Vec<TreeHash> {
        if m == leaves.len() {
            return match b {
                true => Vec::new(),
                false => vec![mth(leaves)],
            };
        }
        let k = k(leaves.len());
        let (left, right) = leaves.split_at(k);
        match m <= k {
            true => [subproof(m, left, b), vec![mth(right)]].concat(),
            false => [subproof(m - k, right, false), vec![mth(left)]].concat(),
        }
    }

    /// The largest power of two smaller than `n`.
    fn k(n: usize) -> usize {
        (0..)
            .map(|power| 1 << power)
            .take_while(|power| *power < n)
            .last()
            .unwrap()
    }
}
