use proptest::prelude::*;

use super::*;
use crate::testing::{QA, RESEARCH, both};

fn refusals() -> impl Strategy<Value = Purposes> {
    prop::sample::select(vec![
        Purposes::default(),
        QA.into(),
        RESEARCH.into(),
        both(),
    ])
}

fn revocations() -> impl Strategy<Value = RevocationRecord> {
    let tags = prop::option::of("[0-9a-f]{12}");
    let stages = prop::sample::select(Stage::ALL.to_vec());
    (any::<u128>(), tags, stages, refusals()).prop_map(|(id, collector, stage, refused)| {
        RevocationRecord {
            record: format!("{id:032x}").parse().unwrap(),
            collector,
            stage,
            revoked: refused,
        }
    })
}

fn collector(name: &str) -> Endpoint {
    format!("https://{name}.example").parse().unwrap()
}

proptest! {
    #[test]
    fn a_revocation_record_round_trips_through_its_name(revocation in revocations()) {
        prop_assert_eq!(RevocationRecord::parse(&revocation.name()), Some(revocation));
    }

    #[test]
    fn arbitrary_file_names_never_panic(name in ".{0,60}") {
        if let Some(revocation) = RevocationRecord::parse(&name) {
            prop_assert_eq!(RevocationRecord::parse(&revocation.name()), Some(revocation));
        }
    }
}

#[test]
fn concurrent_changes_lose_no_revocation() {
    let collector = collector("a");
    for _ in 0..test_tiers::sized(20, 2_000) {
        let folder = crate::testing::folder();
        let revocations = RevocationRecords::open(folder.path()).unwrap();
        let record = Id::random().unwrap();
        revocations
            .insert(record, &collector, Stage::Kept, b"no")
            .unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| revocations.mark_offered(record, &collector).unwrap());
            scope.spawn(|| revocations.revoke(|_| QA.into()).unwrap());
            scope.spawn(|| revocations.revoke(|_| RESEARCH.into()).unwrap());
        });
        let revocation = revocations.all().unwrap().pop().unwrap();
        assert!(revocation.stage == Stage::Offered && revocation.is_fully_revoked());
    }
}

#[test]
fn revocations_accumulate() {
    let folder = crate::testing::folder();
    let revocations = RevocationRecords::open(folder.path()).unwrap();
    let (record, collector) = (Id::random().unwrap(), collector("a"));
    revocations
        .insert(record, &collector, Stage::Kept, b"no")
        .unwrap();
    revocations.revoke(|_| QA.into()).unwrap();
    revocations.mark_offered(record, &collector).unwrap();
    revocations.revoke(|_| RESEARCH.into()).unwrap();
    let revocation = revocations.all().unwrap().pop().unwrap();
    assert!(revocation.stage == Stage::Offered && revocation.is_fully_revoked());
    assert_eq!(revocations.request(&revocation).unwrap().unwrap(), b"no");
    revocations
        .remove(|revocation| revocation.record == record)
        .unwrap();
    assert!(revocations.all().unwrap().is_empty());
}

#[test]
fn each_collector_has_its_own_record_and_all_are_revoked() {
    let folder = crate::testing::folder();
    let revocations = RevocationRecords::open(folder.path()).unwrap();
    let (record, first, second) = (Id::random().unwrap(), collector("a"), collector("b"));
    revocations
        .insert(record, &first, Stage::Kept, b"first")
        .unwrap();
    revocations
        .insert(record, &second, Stage::Kept, b"second")
        .unwrap();
    revocations
        .insert(record, &second, Stage::Kept, b"again")
        .unwrap();
    revocations.mark_offered(record, &first).unwrap();
    revocations.revoke(|_| both()).unwrap();
    revocations.mark_acknowledged(record, &first).unwrap();
    revocations.mark_acknowledged(record, &second).unwrap();
    let all = revocations.all().unwrap();
    assert!(all.len() == 2 && all.iter().all(RevocationRecord::is_fully_revoked));
    let of = |collector| {
        all.iter()
            .find(|revocation| revocation.is_for(collector))
            .unwrap()
    };
    assert_eq!(of(&first).stage, Stage::Acknowledged);
    // It never knew the record, so it has nothing to acknowledge.
    assert_eq!(of(&second).stage, Stage::Kept);
    assert_eq!(
        revocations.request(of(&second)).unwrap().unwrap(),
        b"second"
    );
    revocations.mark_unacknowledged(&first).unwrap();
    let stages: Vec<_> = revocations
        .all()
        .unwrap()
        .iter()
        .map(|revocation| revocation.stage)
        .collect();
    assert!(stages.contains(&Stage::Offered) && !stages.contains(&Stage::Acknowledged));
}

#[test]
fn a_version_0_1_record_applies_to_any_collector() {
    let revocation =
        RevocationRecord::parse("000102030405060708090a0b0c0d0e0f.offered.quality-assurance");
    assert!(revocation.unwrap().is_for(&collector("any")));
}
