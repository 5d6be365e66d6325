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
        let bytes =
            digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
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
                let holds =
                    verify_inclusion(&all[index], other as u64, size as u64, &roots[size], &proof);
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
