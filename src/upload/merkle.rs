//! Merkle trees as RFC 9162 defines them for SHA-256: hashes (section 2.1.1), and the verification of inclusion
//! (2.1.3.2) and consistency proofs (2.1.4.2), <https://www.rfc-editor.org/rfc/rfc9162#section-2.1>.
//!
//! The leaves of an access log's tree are its entries, in their order. A proof holds one hash for each level of the
//! tree at most, so that a device checks a log of any length without reading it. No I/O here.

#[cfg(test)]
mod tests;

use ring::digest::{Context, SHA256};

pub use super::hash::TreeHash;

/// The hash of a leaf with this content.
pub fn leaf_hash(content: &[u8]) -> TreeHash {
    hash(&[&[LEAF], content])
}

/// The hash of a node over two others.
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    hash(&[&[NODE], left.as_bytes(), right.as_bytes()])
}

/// The root of a tree without leaves.
pub fn empty_root() -> TreeHash {
    hash(&[])
}

/// The root of the tree with these leaves.
pub fn root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            // The largest power of two that is smaller than the number of leaves.
            let left = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(left);
            node_hash(&root(left), &root(right))
        }
    }
}

/// Whether `proof` shows that `leaf` is the leaf at `index`, counted from 0, of the tree of `size` leaves with this
/// root.
pub fn verify_inclusion(
    leaf: &TreeHash,
    index: u64,
    size: u64,
    root: &TreeHash,
    proof: &[TreeHash],
) -> bool {
    if index >= size {
        return false;
    }
    let mut path = Path {
        node: index,
        last: size - 1,
    };
    let mut computed = *leaf;
    for sibling in proof {
        computed = match path.climb() {
            Some(Side::Left) => node_hash(sibling, &computed),
            Some(Side::Right) => node_hash(&computed, sibling),
            None => return false,
        };
    }
    path.is_at_root() && computed == *root
}

/// Whether `proof` shows that the tree of `size` leaves with this root begins with the leaves of the tree of
/// `earlier_size` leaves whose root was `earlier_root`.
pub fn verify_consistency(
    earlier_size: u64,
    earlier_root: &TreeHash,
    size: u64,
    root: &TreeHash,
    proof: &[TreeHash],
) -> bool {
    if earlier_size == 0 {
        return *earlier_root == empty_root()
            && proof.is_empty()
            && (size > 0 || *root == empty_root());
    }
    if earlier_size == size {
        return earlier_root == root && proof.is_empty();
    }
    if earlier_size > size {
        return false;
    }
    // If the earlier size is a power of two, its root is a node of the later tree, and the proof omits it.
    let (first, proof) = match (earlier_size.is_power_of_two(), proof) {
        (_, []) => return false,
        (true, proof) => (*earlier_root, proof),
        (false, [first, proof @ ..]) => (*first, proof),
    };
    // Up to the largest complete subtree that the earlier tree ends with.
    let level = earlier_size.trailing_zeros();
    let mut path = Path {
        node: (earlier_size - 1) >> level,
        last: (size - 1) >> level,
    };
    let (mut earlier, mut later) = (first, first);
    for sibling in proof {
        match path.climb() {
            Some(Side::Left) => {
                earlier = node_hash(sibling, &earlier);
                later = node_hash(sibling, &later);
            }
            Some(Side::Right) => later = node_hash(&later, sibling),
            None => return false,
        }
    }
    path.is_at_root() && earlier == *earlier_root && later == *root
}

/// A path from a node up to the root: `fn` and `sn` of the RFC.
struct Path {
    /// The node's index in its level.
    node: u64,
    /// The index of the last node of that level.
    last: u64,
}

/// The side of a node's sibling.
enum Side {
    Left,
    Right,
}

impl Path {
    /// Moves up to the next node that has two children; `None` if there is none left.
    fn climb(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let is_right_child = self.node & 1 == 1;
        let side = match is_right_child || self.node == self.last {
            true => Side::Left,
            false => Side::Right,
        };
        // A last node without a sibling is its own parent, up to the level at which it is a right child. `node` is not
        // 0 here, so it has a lowest set bit.
        if matches!(side, Side::Left) && !is_right_child {
            let levels = self.node.trailing_zeros();
            self.node >>= levels;
            self.last >>= levels;
        }
        self.node >>= 1;
        self.last >>= 1;
        Some(side)
    }

    fn is_at_root(&self) -> bool {
        self.last == 0
    }
}

fn hash(parts: &[&[u8]]) -> TreeHash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes.into()
}

/// Domain separation: the prefix of a leaf's content and of a node's hashes.
const LEAF: u8 = 0;
const NODE: u8 = 1;
