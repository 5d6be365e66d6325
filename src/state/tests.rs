use std::{fs, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{State, StateError, folder::STORE, migrations, monotonic_clock::MonotonicClock};
use crate::{
    Clock as _,
    testing::{TestClock, days},
};

fn open(folder: &std::path::Path) -> State {
    State::open(folder, Arc::new(TestClock::new())).unwrap()
}

proptest! {
    /// The oracle is the time that truly passed. The clock is looked at once a month, and before and
    /// after each jump.
    #[test]
    fn clock_jumps_never_lose_elapsed_time(
        steps in prop::collection::vec((0_i64..=32, -800_i64..800, any::<bool>()), 1..30),
    ) {
        let system = Arc::new(TestClock::new());
        let mut steady = MonotonicClock::resume(system.clone(), None);
        let began = steady.now();
        let mut truly = SignedDuration::ZERO;
        for (passes, jump, restarts) in steps {
            let before = steady.now();
            system.advance(days(passes));
            truly += days(passes);
            let after = steady.now();
            prop_assert!(after >= before);
            system.advance(days(jump));
            if restarts {
                let reading = steady.read();
                steady = MonotonicClock::resume(system.clone(), Some(reading));
            }
            prop_assert!(steady.now() >= after);
            prop_assert!(steady.now().duration_since(began) >= truly);
        }
    }
}

#[test]
fn correcting_a_clock_from_1970_expires_nothing() {
    let system = Arc::new(TestClock::new());
    let steady = MonotonicClock::resume(system.clone(), None);
    let right = steady.now();
    system.set(Timestamp::UNIX_EPOCH);
    assert_eq!(steady.now(), right);
    system.set(right + days(1));
    assert_eq!(steady.now(), right + days(1));
}

#[test]
fn the_maximum_timestamp_does_not_panic() {
    let system = Arc::new(TestClock::new());
    system.set(Timestamp::MAX);
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path(), system.clone()).unwrap();
    system.set(Timestamp::MIN);
    state.monotonic_time();
    system.advance(days(400));
    assert_eq!(state.monotonic_time(), Timestamp::MAX);
}

#[test]
fn a_restart_loses_at_most_an_hour_of_elapsed_time() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new());
    let state = State::open(folder.path(), clock.clone()).unwrap();
    clock.advance(days(30));
    state.persist_time();
    clock.advance(SignedDuration::from_mins(59));
    state.persist_time();
    let seen = state.monotonic_time();
    drop(state);
    clock.advance(days(-365));
    let state = State::open(folder.path(), clock).unwrap();
    assert_eq!(state.monotonic_time(), seen - SignedDuration::from_mins(59));
}

#[test]
fn a_second_engine_on_a_folder_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = State::open(folder.path(), Arc::new(TestClock::new()));
    assert!(matches!(second.err(), Some(StateError::InUse(_))));
    first.write(|_| Ok::<_, StateError>(())).unwrap();
    drop(first);
    open(folder.path());
}

#[test]
fn a_newer_layout_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let database = redb::Database::open(folder.path().join(STORE)).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
    transaction
        .open_table(meta)
        .unwrap()
        .insert(migrations::LAYOUT_NAME, b"9".as_slice())
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    for _ in 0..2 {
        let opened = State::open(folder.path(), Arc::new(TestClock::new()));
        assert!(matches!(
            opened.err(),
            Some(StateError::Newer { found: 9, .. })
        ));
    }
}

#[test]
fn a_file_that_is_not_a_store_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(STORE);
    let strange = vec![0xA5; 100_000];
    fs::write(&path, &strange).unwrap();
    assert!(State::open(folder.path(), Arc::new(TestClock::new())).is_err());
    assert_eq!(fs::read(&path).unwrap(), strange);
}

#[cfg(unix)]
#[test]
fn the_store_is_private_even_in_a_shared_folder() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    open(folder.path());
    let mode = fs::metadata(folder.path().join(STORE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0);
}
