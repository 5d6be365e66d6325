//! Merkle trees as RFC 9162 defines them for SHA-256: hashes (section 2.1.1), and the verification of inclusion
//! (2.1.3.2) and consistency proofs (2.1.4.2), <https://www.rfc-editor.org/rfc/rfc9162#section-2.1>.
//!
//! The leaves of an access log's tree are its entries, in their order. A proof holds one hash for each level of the
//! tree at most, so that a device checks a log of any length without reading it. No I/O here.

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
    // The earlier root is a node of the later tree then, and the proof leaves it out.
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
        // A last node without a sibling is its own parent, up to where it is a right child. It is not at 0 here, where
        // no bit would end that.
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

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::testing::audit_log::{consistency, inclusion};

    /// Test vectors of the reference implementation of Certificate Transparency: the contents of
    /// eight leaves, and the root of the first 0, 1, … of them.
    const CONTENTS: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    /// The number of a leaf from 1, the size of the tree, and the inclusion proof.
    const INCLUSION: [(u64, u64, &[&str]); 5] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            3,
            3,
            &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
        ),
        (
            2,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    /// The sizes of two trees, and the consistency proof between them.
    const CONSISTENCY: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];

    #[test]
    fn hashes_and_proofs_match_certificate_transparency() {
        let leaves = CONTENTS.map(|content| {
            let digits = content.as_bytes().chunks(2);
            let bytes = digits
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            leaf_hash(&bytes.collect::<Vec<_>>())
        });
        let roots = ROOTS.map(|root| root.parse::<TreeHash>().unwrap());
        for (size, expected) in roots.iter().enumerate() {
            assert_eq!(root(&leaves[..size]), *expected, "{size}");
        }
        for (number, size, proof) in INCLUSION {
            let (leaf, index) = (&leaves[number as usize - 1], number - 1);
            let proof = parsed(proof);
            assert!(verify_inclusion(
                leaf,
                index,
                size,
                &roots[size as usize],
                &proof
            ));
            assert_eq!(inclusion(index as usize, &leaves[..size as usize]), proof);
        }
        for (earlier, size, proof) in CONSISTENCY {
            let [before, after] = [earlier, size].map(|size| &roots[size as usize]);
            let proof = parsed(proof);
            assert!(verify_consistency(earlier, before, size, after, &proof));
            assert_eq!(
                consistency(earlier as usize, &leaves[..size as usize]),
                proof
            );
        }
    }

    fn parsed(hashes: &[&str]) -> Vec<TreeHash> {
        hashes.iter().map(|hash| hash.parse().unwrap()).collect()
    }

    fn leaves(size: usize) -> Vec<TreeHash> {
        (0..size)
            .map(|leaf| leaf_hash(&leaf.to_be_bytes()))
            .collect()
    }

    #[test]
    fn every_proof_of_small_trees_verifies_only_for_itself() {
        let all = leaves(33);
        let roots: Vec<_> = (0..=all.len()).map(|size| root(&all[..size])).collect();
        for size in 1..all.len() {
            for index in 0..size {
                let proof = inclusion(index, &all[..size]);
                for other in 0..=size {
                    let holds = verify_inclusion(
                        &all[index],
                        other as u64,
                        size as u64,
                        &roots[size],
                        &proof,
                    );
                    assert_eq!(holds, other == index, "{index} as {other} of {size}");
                }
            }
            for earlier in 0..=size {
                let proof = consistency(earlier, &all[..size]);
                for other in 0..all.len() {
                    let holds = verify_consistency(
                        other as u64,
                        &roots[other],
                        size as u64,
                        &roots[size],
                        &proof,
                    );
                    // Nothing is proven for an empty tree or between equal trees.
                    let needs_none = |earlier| earlier == 0 || earlier == size;
                    let expected = other == earlier || needs_none(other) && needs_none(earlier);
                    assert_eq!(holds, expected, "{earlier} as {other} of {size}");
                }
            }
        }
    }

    /// Ways to forge a proof.
    #[derive(Clone, Debug)]
    enum Forgery {
        Change(Index, Index, u8),
        Drop(Index),
        Insert(Index, [u8; 32]),
        Swap(Index, Index),
    }

    fn forgeries() -> impl Strategy<Value = Forgery> {
        prop_oneof![
            (any::<Index>(), any::<Index>(), 1..=255_u8)
                .prop_map(|(hash, byte, flip)| Forgery::Change(hash, byte, flip)),
            any::<Index>().prop_map(Forgery::Drop),
            (any::<Index>(), any::<[u8; 32]>()).prop_map(|(at, hash)| Forgery::Insert(at, hash)),
            (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Forgery::Swap(one, other)),
        ]
    }

    fn forged(proof: &[TreeHash], forgery: &Forgery) -> Vec<TreeHash> {
        let mut forged = proof.to_vec();
        match forgery {
            Forgery::Insert(at, hash) => forged.insert(at.index(proof.len() + 1), (*hash).into()),
            _ if proof.is_empty() => {}
            Forgery::Change(hash, byte, flip) => {
                let hash = &mut forged[hash.index(proof.len())];
                let mut bytes = *hash.as_bytes();
                bytes[byte.index(32)] ^= flip;
                *hash = bytes.into();
            }
            Forgery::Drop(at) => drop(forged.remove(at.index(proof.len()))),
            Forgery::Swap(one, other) => {
                forged.swap(one.index(proof.len()), other.index(proof.len()));
            }
        }
        forged
    }

    proptest! {
        #[test]
        fn a_forged_inclusion_proof_does_not_hold(
            size in 1..300_usize, at in any::<Index>(), forgery in forgeries(), flip in any::<(Index, u8)>(),
        ) {
            let all = leaves(size);
            let (index, root) = (at.index(size), root(&all));
            let proof = inclusion(index, &all);
            let verify = |leaf: &TreeHash, root: &TreeHash, proof: &[TreeHash]| {
                verify_inclusion(leaf, index as u64, size as u64, root, proof)
            };
            prop_assert!(verify(&all[index], &root, &proof));
            let forged = forged(&proof, &forgery);
            prop_assert_eq!(verify(&all[index], &root, &forged), forged == proof);
            let other = flipped(&all[index], flip);
            prop_assert_eq!(verify(&other, &root, &proof), other == all[index]);
            let other = flipped(&root, flip);
            prop_assert_eq!(verify(&all[index], &other, &proof), other == root);
        }

        #[test]
        fn a_forged_consistency_proof_does_not_hold(
            size in 2..300_usize, at in any::<Index>(), forgery in forgeries(), flip in any::<(Index, u8)>(),
        ) {
            let all = leaves(size);
            let earlier = 1 + at.index(size - 1);
            let (before, after) = (root(&all[..earlier]), root(&all));
            let proof = consistency(earlier, &all);
            let verify = |before: &TreeHash, after: &TreeHash, proof: &[TreeHash]| {
                verify_consistency(earlier as u64, before, size as u64, after, proof)
            };
            prop_assert!(verify(&before, &after, &proof));
            let forged = forged(&proof, &forgery);
            prop_assert_eq!(verify(&before, &after, &forged), forged == proof);
            let other = flipped(&before, flip);
            prop_assert_eq!(verify(&other, &after, &proof), other == before);
            let other = flipped(&after, flip);
            prop_assert_eq!(verify(&before, &other, &proof), other == after);
        }

        #[test]
        fn arbitrary_numbers_and_hashes_never_panic(
            numbers in any::<[u64; 3]>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        ) {
            let proof: Vec<TreeHash> = hashes.into_iter().map(TreeHash::from).collect();
            let hash = empty_root();
            for [one, other, _] in [numbers, [numbers[0], u64::MAX, 0], [u64::MAX - 1, u64::MAX, 0], [0, 0, 0]] {
                prop_assert!(!verify_inclusion(&hash, one, other, &hash, &proof));
                if one != other && one != 0 {
                    prop_assert!(!verify_consistency(one, &hash, other, &hash, &proof));
                }
            }
        }
    }

    fn flipped(hash: &TreeHash, (at, flip): (Index, u8)) -> TreeHash {
        let mut bytes = *hash.as_bytes();
        bytes[at.index(32)] ^= flip;
        bytes.into()
    }
}
