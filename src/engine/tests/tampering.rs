//! A state folder that was tampered with, or that another version wrote.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use miniz_oxide::inflate::decompress_to_vec_zlib;
use redb::{ReadableDatabase as _, ReadableTable as _, TableHandle as _};
use tempfile::TempDir;
use test_tiers::is_soak;

use super::Device;
use crate::{
    Config, Error, Purposes, Sordino, StateError,
    consent::{AgeBand, ConsentState},
    outbox::SampleState,
    testing::{QA, TestClock, both, days, folder},
};

const STORE: &str = "state.redb";

/// A folder of layout 1, made as tests/vectors/state/README.md describes.
fn of_layout_1(which: &str) -> TempDir {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/state");
    let packed = fs::read(format!("{vectors}/layout-1-{which}.redb.zlib")).unwrap();
    let folder = folder();
    let store = decompress_to_vec_zlib(&packed).unwrap();
    fs::write(folder.path().join(STORE), store).unwrap();
    folder
}

fn open(folder: &Path) -> Result<Sordino, Error> {
    let clock = TestClock::new();
    clock.set("2026-11-25T12:00:00Z".parse().unwrap());
    let key = "e1fa6e530500a82d17cef943aa5509b894b5df0ecc08ba4c996369d889e6df7c";
    let collector = "http://127.0.0.1:44829".parse().unwrap();
    Sordino::open(Config {
        clock: Arc::new(clock),
        ..Config::new(folder, key.parse().unwrap(), collector)
    })
}

#[test]
fn a_layout_1_store_is_migrated_completely() {
    let folder = of_layout_1("granted");
    // The pending sample's file, which the vector leaves out.
    let waits = "9a3d1741c176b8a9b930bd457836b304.age";
    fs::create_dir(folder.path().join("outbox")).unwrap();
    fs::write(folder.path().join("outbox").join(waits), [7; 500]).unwrap();
    for _ in 0..2 {
        let engine = open(folder.path()).unwrap();
        let status = engine.status().unwrap();
        assert_eq!(status.consent, ConsentState::Granted);
        assert_eq!(engine.grants().unwrap().purposes(), both());
        assert_eq!(
            (status.pending, status.sent, status.deletions_pending),
            (1, 1, 1)
        );
        assert_eq!(engine.plan().unwrap().version, 1);
    }
    let engine = open(folder.path()).unwrap();
    assert_eq!(engine.withdraw(None).unwrap().shredded, 1);
}

#[test]
fn a_layout_1_withdrawal_is_preserved() {
    let folder = of_layout_1("withdrawn");
    let engine = open(folder.path()).unwrap();
    let status = engine.status().unwrap();
    assert_eq!(status.consent, ConsentState::Withdrawn);
    assert!(engine.grants().is_err());
    assert_eq!(status.deletions_pending, 2);
    assert!(engine.next_upload_task().unwrap().is_some());
}

/// The header of redb's file, with the roots of its trees and their checksums.
const HEADER: usize = 320;
/// redb's pages, each of which begins with its kind and how much it holds.
const PAGE: usize = 4096;
const PAGE_START: usize = 8;
const OF_TEXT: [&str; 5] = [
    "meta",
    "consent-records",
    "retries",
    "notices",
    "sample-places",
];
const OF_NUMBERS: [&str; 1] = ["samples"];

/// The rows of a store with their tables. A table that is not known here fails the test.
fn rows(store: &[u8]) -> Vec<(String, Vec<u8>)> {
    let copy = folder();
    let path = copy.path().join(STORE);
    fs::write(&path, store).unwrap();
    let store = redb::Database::open(path).unwrap();
    let store = store.begin_read().unwrap();
    let mut rows = Vec::new();
    for table in store.list_tables().unwrap() {
        let name = table.name().to_owned();
        let values: Vec<Vec<u8>> = if OF_NUMBERS.contains(&name.as_str()) {
            let table = redb::TableDefinition::<u64, &[u8]>::new(&name);
            let table = store.open_table(table).unwrap();
            let values = table.iter().unwrap();
            values.map(|row| row.unwrap().1.value().to_vec()).collect()
        } else {
            assert!(
                OF_TEXT.contains(&name.as_str()),
                "the table {name} is tried by nothing"
            );
            let table = redb::TableDefinition::<&str, &[u8]>::new(&name);
            let table = store.open_table(table).unwrap();
            let values = table.iter().unwrap();
            values.map(|row| row.unwrap().1.value().to_vec()).collect()
        };
        rows.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    rows
}

/// The bytes of a store that are changed one by one, each with what it is a part of.
///
/// In a soak all that are not zero, and one zero of 61: those are mostly pages that hold nothing. Otherwise the
/// whole header, the start of each page in use, one byte in 16 of each row wherever it is stored (the pages that a
/// change left behind hold it too), and of all the rest one byte in 61 and one zero in 4001. That is 2400 to 3100
/// bytes of a store, of which 1300 to 1600 are noticed: some of the header, of a page's start and of every row of
/// every table, which is asserted.
fn places(store: &[u8]) -> BTreeMap<usize, String> {
    let mut places = BTreeMap::new();
    for (at, byte) in store.iter().enumerate() {
        let step = match (*byte, is_soak()) {
            (0, true) => 61,
            (_, true) => 1,
            (0, false) => 4001,
            (_, false) => 61,
        };
        if at % step == 0 {
            places.insert(at, "the rest".to_owned());
        }
    }
    for (number, page) in store.chunks(PAGE).enumerate() {
        if page.iter().any(|byte| *byte != 0) {
            let start = number * PAGE;
            places.extend((start..start + PAGE_START).map(|at| (at, "a page's start".to_owned())));
        }
    }
    places.extend((0..HEADER).map(|at| (at, "the header".to_owned())));
    for (number, (table, row)) in rows(store).into_iter().enumerate() {
        let name = format!("row {number}, of `{table}`");
        let stored = store.windows(row.len()).enumerate();
        for (start, _) in stored.filter(|(_, bytes)| bytes[0] == row[0] && *bytes == row) {
            let bytes = (0..row.len()).step_by(16).chain([row.len() - 1]);
            places.extend(bytes.map(|byte| (start + byte, name.clone())));
        }
    }
    places
}

/// A modified store grants as much as before, or less.
fn grants_at_most(device: Device, allowed: &Purposes, with_slips: bool) {
    let store = device.folder.path().join(STORE);
    let revocations = device.folder.path().join("slips");
    let stopped = device.stop();
    let open = || {
        if !with_slips {
            let _ = fs::remove_dir_all(&revocations);
        }
        Sordino::open(stopped.config())
    };
    let whole = fs::read(&store).unwrap();
    let mut noticed: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let places = places(&whole);
    for (&at, part) in &places {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&store, &changed).unwrap();
        let (tried, refused) = noticed.entry(part).or_default();
        *tried += 1;
        match open() {
            Ok(engine) => {
                let grants = engine.grants();
                let granted =
                    grants.map_or_else(|_| Purposes::default(), |grants| grants.purposes());
                assert!(granted.is_subset(allowed), "byte {at} grants {granted}");
            }
            Err(error) => {
                *refused += 1;
                assert_eq!(error.to_string().lines().count(), 1, "byte {at}: {error}");
            }
        }
    }
    // Unnoticed bytes are in unused pages, or have the same meaning.
    let refused: u32 = noticed.values().map(|(_, refused)| refused).sum();
    let tried = places.len();
    assert!(refused > 1000, "only {refused} of {tried} were noticed");
    for (part, (tried, refused)) in noticed {
        assert!(refused > 0, "of {tried} changes to {part} none was noticed");
    }
}

#[test]
fn no_modified_byte_of_a_store_undoes_a_withdrawal() {
    let device = Device::new();
    device.consent_to(both());
    device.queue().unwrap();
    device.engine.withdraw(None).unwrap();
    grants_at_most(device, &Purposes::default(), true);
}

#[test]
fn no_modified_byte_of_a_store_extends_consent() {
    let device = Device::new();
    device.consent_to(QA);
    device.queue().unwrap();
    grants_at_most(device, &QA.into(), false);
}

#[test]
fn no_modified_byte_of_a_store_replaces_a_guardian() {
    let device = Device::new();
    device.consent_as(both(), AgeBand::Child);
    grants_at_most(device, &Purposes::default(), false);
}

#[test]
fn a_corrupt_device_is_reset_and_still_deletes_sent_samples() {
    let device = Device::new();
    let record = device.consent_to(both());
    let sent = device.queue().unwrap();
    device.engine.renew_plan().unwrap();
    // The plan and the registration, in flight.
    for _ in 0..2 {
        device.engine.next_upload_task().unwrap().unwrap();
    }
    let folder = device.folder.path().to_owned();
    let device = device.restart(|_| {
        let store = folder.join(STORE);
        let length = fs::metadata(&store).unwrap().len();
        fs::write(&store, vec![0xA5; usize::try_from(length).unwrap()]).unwrap();
        assert!(
            !Sordino::reset(&folder).unwrap(),
            "nothing of it could be read"
        );
    });
    assert_eq!(device.engine.consent().unwrap().state, ConsentState::None);
    assert!(!device.file(sent).exists());
    assert_eq!(device.engine.status().unwrap().deletions_pending, 1);
    let request = device.engine.next_upload_task().unwrap().unwrap();
    let expected = crate::upload::TaskKind::Withdraw {
        record,
        purposes: both(),
    };
    assert_eq!(request.task.kind, expected);
    let acknowledged = crate::upload::UploadResult::Response(super::collector::answer(200));
    device
        .engine
        .process_upload_result(&request.task, acknowledged)
        .unwrap();
    assert!(device.engine.next_upload_task().unwrap().is_none());
    assert_eq!(device.engine.status().unwrap().deletions_pending, 0);
}

#[test]
fn withdrawal_works_with_a_corrupt_ledger() {
    let device = Device::new();
    let record = device.consent_to(both());
    device.mark_offered(record);
    let sample = device.queue().unwrap();
    let held = device.engine.grants().unwrap();
    device.engine.inner().unwrap().state.damage("samples");
    device.engine.withdraw(None).unwrap();
    assert!(!held.is_live() && device.engine.grants().is_err());
    assert!(!device.file(sample).exists());
    // Started again it is refused, as damaged; reset, it withdraws consent to what was registered.
    let stopped = device.stop();
    assert!(Sordino::open(stopped.config()).is_err_and(|error| error.is_damaged()));
    Sordino::reset(stopped.folder.path()).unwrap();
    let task = stopped
        .start()
        .engine
        .next_upload_task()
        .unwrap()
        .unwrap()
        .task;
    assert!(
        matches!(task.kind, crate::upload::TaskKind::Withdraw { record: due, .. } if due == record)
    );
}

#[test]
fn a_reset_erases_consent_and_samples_but_keeps_the_plan() {
    let device = Device::new();
    device.consent_to(both());
    let sample = device.queue().unwrap();
    let folder = device.folder.path().to_owned();
    assert!(matches!(
        Sordino::reset(&folder),
        Err(Error::State(StateError::InUse(_)))
    ));
    let device = device.restart(|_| assert!(Sordino::reset(&folder).unwrap()));
    assert_eq!(device.engine.consent().unwrap().state, ConsentState::None);
    assert!(device.engine.samples().unwrap().is_empty() && !device.file(sample).exists());
    assert_eq!(device.engine.plan().unwrap().version, 1);
    // Nothing was ever offered to a collector, so none is notified.
    assert!(device.engine.next_upload_task().unwrap().is_none());
}

#[test]
fn deleting_all_samples_keeps_consent() {
    let device = Device::new();
    device.consent_to(both());
    let (waits, offered) = (device.queue().unwrap(), device.queue().unwrap());
    device.mark_sent(offered);
    device.engine.delete_all().unwrap();
    assert_eq!(device.state_of(waits), SampleState::Deleted);
    assert_eq!(device.state_of(offered), SampleState::DeletionAsked);
    assert!(!device.file(waits).exists() && !device.file(offered).exists());
    assert_eq!(
        device.engine.consent().unwrap().state,
        ConsentState::Granted
    );
    device.clock.advance(days(1));
    device.queue().unwrap();
}

/// The store is missing: only the revocation records show what it had registered.
#[test]
fn withdrawals_survive_the_loss_of_the_store() {
    let device = Device::new();
    let record = device.consent_to(both());
    device.mark_offered(record);
    for emptied in [false, true] {
        let copy = folder();
        let revocations = copy.path().join("slips");
        fs::create_dir(&revocations).unwrap();
        for revocation in fs::read_dir(device.folder.path().join("slips")).unwrap() {
            let revocation = revocation.unwrap();
            fs::copy(revocation.path(), revocations.join(revocation.file_name())).unwrap();
        }
        if emptied {
            fs::write(copy.path().join(STORE), []).unwrap();
        }
        assert!(!Sordino::reset(copy.path()).unwrap(), "no setting was left");
        let engine = open(copy.path()).unwrap();
        assert_eq!(engine.status().unwrap().deletions_pending, 1);
        let task = engine.next_upload_task().unwrap().unwrap().task;
        assert!(
            matches!(task.kind, crate::upload::TaskKind::Withdraw { record: due, .. } if due == record)
        );
    }
    // Without a reset too.
    let copy = folder();
    let revocations = copy.path().join("slips");
    fs::create_dir(&revocations).unwrap();
    let revocation = fs::read_dir(device.folder.path().join("slips")).unwrap();
    let revocation = revocation.map(Result::unwrap).next().unwrap();
    fs::copy(revocation.path(), revocations.join(revocation.file_name())).unwrap();
    let engine = open(copy.path()).unwrap();
    assert!(engine.next_upload_task().unwrap().is_some());
}
