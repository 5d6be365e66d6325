//! The device's verification of the collector's access log.

mod inconsistencies;

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::Device;
use crate::{
    Error, Id, Purpose,
    testing::{QA, audit_log::TestLog, cases},
    upload::{
        Accesses, HttpResponse, LogInconsistency, TaskKind, UploadError, UploadResult, UploadTask,
    },
};

#[test]
fn a_growing_log_verifies_against_the_stored_head() {
    let (mut device, sample) = with_sample();
    let mut log = TestLog::default();
    let mut seen = 0;
    for step in 0..40 {
        match step % 3 {
            0 => log.hand_out(sample),
            1 => log.hand_out_to(Id::random().unwrap(), "Büro „Süd“ / \\"),
            _ => log.hand_out_to(sample, "Büro „Süd“ / \\"),
        }
        if step % 4 == 0 {
            device = device.restart(|_| {});
        }
        if step % 5 == 0 {
            continue;
        }
        let task = task(&device, sample);
        assert_eq!(task.kind, TaskKind::ReadAccesses { sample, seen });
        let accesses = reported(&device, &log, sample);
        assert_eq!(accesses.broken, None, "{step}");
        seen = log.len() as u64;
    }
    // The same request again, with nothing new.
    assert_eq!(reported(&device, &log, sample).broken, None);
}

#[test]
fn a_shortened_or_rewritten_log_is_reported_until_restored() {
    let (device, sample) = with_sample();
    let mut log = TestLog::with_others(6);
    log.hand_out(sample);
    assert_eq!(reported(&device, &log, sample).broken, None);
    let device = device.restart(|_| {});

    let mut shorter = log.clone();
    shorter.cut(6);
    let mut other = TestLog::with_others(6);
    other.hand_out(sample);
    let mut longer = other.clone();
    longer.hand_out(sample);
    let cut_off = LogInconsistency::Shortened { before: 7, now: 6 };
    let written_anew = LogInconsistency::Rewritten { entries: 7 };
    let forked = LogInconsistency::Inconsistent { before: 7, now: 8 };
    for _ in 0..2 {
        for (log, broken) in [
            (&shorter, cut_off),
            (&other, written_anew),
            (&longer, forked),
        ] {
            let accesses = reported(&device, log, sample);
            assert_eq!(accesses.broken, Some(broken));
            // The accesses are still shown.
            assert_eq!(
                accesses.accesses.len(),
                log.answer(sample, 0)["accesses"].as_array().unwrap().len()
            );
        }
    }
    log.hand_out(sample);
    assert_eq!(reported(&device, &log, sample).broken, None);
    assert_eq!(
        reported(&device, &shorter, sample).broken,
        Some(LogInconsistency::Shortened { before: 8, now: 6 })
    );
}

/// The collector replaces an entry with another one of the same number, and proves that log.
#[test]
fn a_changed_access_is_detected_without_a_stored_head() {
    let (device, sample) = with_sample();
    let mut log = TestLog::with_others(1);
    log.hand_out(sample);
    assert_eq!(reported(&device, &log, sample).broken, None);
    let record = device
        .engine
        .inner()
        .unwrap()
        .outbox
        .entry(sample)
        .unwrap()
        .consent;
    let key = format!("{record}@{}", device.collector);
    let heads = crate::state::Table::<&str>::new("audit-heads");
    let forgotten = device
        .engine
        .inner()
        .unwrap()
        .state
        .write(|change| change.remove(heads, key.as_str()));
    forgotten
        .map_err(|error: crate::state::StateError| error)
        .unwrap();

    let mut other = TestLog::with_others(1);
    other.hand_out_to(sample, "somebody");
    assert_eq!(
        reported(&device, &other, sample).broken,
        Some(LogInconsistency::LeftOut { entry: 2 })
    );
}

#[test]
fn an_outdated_access_response_must_be_requested_again() {
    let (device, sample) = with_sample();
    let mut log = TestLog::with_others(3);
    let (first, second) = (task(&device, sample), task(&device, sample));
    let (before, after) = (log.answer(sample, 0), {
        log.hand_out(sample);
        log.answer(sample, 0)
    });
    assert_eq!(read(&device, &second, &after).unwrap().broken, None);
    let overtaken = read(&device, &first, &before).unwrap_err();
    assert!(
        matches!(&overtaken, Error::Upload(UploadError::AccessesOutdated(of)) if *of == sample),
        "{overtaken}"
    );
    assert!(overtaken.to_string().contains("ask again"));
    assert_eq!(reported(&device, &log, sample).broken, None);
}

#[test]
fn the_result_of_another_request_is_rejected() {
    let (device, sample) = with_sample();
    let answer = TestLog::default().answer(sample, 0);
    let task = TaskKind::Delete { sample }.for_collector(&device.collector);
    let refused = read(&device, &task, &answer).unwrap_err();
    assert!(
        matches!(refused, Error::Upload(UploadError::NotAnAccessTask(_))),
        "{refused}"
    );
}

#[test]
fn each_collector_has_its_own_head() {
    let (device, sample) = with_sample();
    let mut log = TestLog::with_others(9);
    log.hand_out(sample);
    assert_eq!(reported(&device, &log, sample).broken, None);
    let mut stopped = device.stop();
    stopped.collector = "https://another.example".parse().unwrap();
    let device = stopped.start();
    // The sample is still at the first collector; another one is at the second.
    assert_eq!(
        task(&device, sample).kind,
        TaskKind::ReadAccesses { sample, seen: 10 }
    );
    let other = device.queue().unwrap();
    device.mark_sent(other);
    assert_eq!(
        task(&device, other).kind,
        TaskKind::ReadAccesses {
            sample: other,
            seen: 0
        }
    );
    let mut short = TestLog::default();
    short.hand_out(other);
    assert_eq!(reported(&device, &short, other).broken, None);
    assert_eq!(
        task(&device, other).kind,
        TaskKind::ReadAccesses {
            sample: other,
            seen: 1
        }
    );
    assert_eq!(reported(&device, &log, sample).broken, None);
}

/// The number in a request would reveal to the collector that two records are one person's.
#[test]
fn a_new_record_does_not_reveal_the_head_of_an_earlier_one() {
    let (device, sample) = with_sample();
    let mut log = TestLog::with_others(5);
    log.hand_out(sample);
    assert_eq!(reported(&device, &log, sample).broken, None);
    device.engine.withdraw(None).unwrap();
    device.consent_to(QA);
    let later = device.queue().unwrap();
    device.mark_sent(later);
    assert_eq!(
        task(&device, later).kind,
        TaskKind::ReadAccesses {
            sample: later,
            seen: 0
        }
    );
    assert_eq!(reported(&device, &log, later).broken, None);
    assert_eq!(
        task(&device, sample).kind,
        TaskKind::ReadAccesses { sample, seen: 6 }
    );
    // Another sample of the same record does.
    let next = device.queue().unwrap();
    assert_eq!(
        task(&device, next).kind,
        TaskKind::ReadAccesses {
            sample: next,
            seen: 6
        }
    );
}

#[test]
fn a_head_stored_without_proofs_is_still_compared() {
    let (device, sample) = with_sample();
    let log = TestLog::with_others(4);
    let mut head = log.answer(sample, 0)["head"].clone();
    remove(&mut head, "root");
    let seen = json!({"collector": device.collector.to_string(), "head": head});
    let kept = device
        .engine
        .inner()
        .unwrap()
        .state
        .write(|change| change.set_value("audit-head", &seen));
    kept.map_err(|error: crate::state::StateError| error)
        .unwrap();
    assert_eq!(
        task(&device, sample).kind,
        TaskKind::ReadAccesses { sample, seen: 0 }
    );
    let mut shorter = log.clone();
    shorter.cut(3);
    let broken = Some(LogInconsistency::Shortened { before: 4, now: 3 });
    assert_eq!(reported(&device, &shorter, sample).broken, broken);
    let other = TestLog::with_others(4);
    assert_eq!(
        reported(&device, &other, sample).broken,
        Some(LogInconsistency::Rewritten { entries: 4 })
    );
    assert_eq!(reported(&device, &log, sample).broken, None);
    assert_eq!(
        task(&device, sample).kind,
        TaskKind::ReadAccesses { sample, seen: 4 }
    );
}

#[test]
fn the_collector_cannot_set_the_verification_result() {
    let (device, sample) = with_sample();
    let mut answer = TestLog::with_others(2).answer(sample, 0);
    answer["broken"] = json!({"problem": "rewritten", "entries": 1});
    let accesses = read(&device, &task(&device, sample), &answer).unwrap();
    assert_eq!(accesses.broken, None);
    answer["broken"] = Value::Null;
    remove(&mut answer, "head");
    let accesses = read(&device, &task(&device, sample), &answer).unwrap();
    assert_eq!(accesses.broken, Some(LogInconsistency::Unproven));
}

proptest! {
    #![proptest_config(cases(24, 500))]

    #[test]
    fn any_modified_byte_of_a_response_is_detected(
        entries in 1..40_usize, seen in any::<Index>(), changes in prop::collection::vec((any::<Index>(), any::<u8>()), 40),
    ) {
        let (device, sample) = with_sample();
        let mut log = TestLog::with_others(0);
        let seen = seen.index(entries);
        for entry in 0..entries {
            if entry == seen {
                prop_assert_eq!(reported(&device, &log, sample).broken, None);
            }
            log.hand_out(sample);
        }
        let task = task(&device, sample);
        let whole = serde_json::to_vec(&log.answer(sample, seen as u64)).unwrap();
        let expected: Accesses = serde_json::from_slice(&whole).unwrap();
        for (at, byte) in changes {
            let mut changed = whole.clone();
            changed[at.index(whole.len())] = byte;
            match device.engine.read_accesses(&task, answered(changed)) {
                // For example, a byte outside of any member.
                Ok(accesses) if accesses.broken.is_none() => {
                    prop_assert_eq!(accesses, expected);
                    return Ok(());
                }
                Ok(_) | Err(Error::Upload(UploadError::Accesses(_))) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
        prop_assert_eq!(reported(&device, &log, sample).broken, None);
    }

    #[test]
    fn arbitrary_responses_never_panic(body in any::<Vec<u8>>()) {
        let (device, sample) = with_sample();
        let task = task(&device, sample);
        let _ = device.engine.read_accesses(&task, answered(body));
    }
}

/// A device with a sample that its collector has stored.
fn with_sample() -> (Device, Id) {
    let device = Device::new();
    device.consent_to(QA);
    let sample = device.queue().unwrap();
    device.mark_sent(sample);
    (device, sample)
}

fn task(device: &Device, sample: Id) -> UploadTask {
    let request = device.engine.accesses_request(sample).unwrap();
    let TaskKind::ReadAccesses { seen, .. } = request.task.kind else {
        panic!("{}", request.task);
    };
    assert!(
        request
            .url
            .ends_with(&format!("/v1/samples/{sample}/accesses/since/{seen}"))
    );
    request.task
}

/// The device's verification of `log`, requested now.
fn reported(device: &Device, log: &TestLog, sample: Id) -> Accesses {
    let task = task(device, sample);
    let TaskKind::ReadAccesses { seen, .. } = task.kind else {
        panic!("{task}");
    };
    read(device, &task, &log.answer(sample, seen)).unwrap()
}

fn read(device: &Device, task: &UploadTask, answer: &Value) -> Result<Accesses, Error> {
    device
        .engine
        .read_accesses(task, answered(answer.to_string().into_bytes()))
}

fn answered(body: Vec<u8>) -> UploadResult {
    UploadResult::Response(HttpResponse {
        status: 200,
        body,
        ..HttpResponse::default()
    })
}

fn remove(object: &mut Value, member: &str) {
    object.as_object_mut().unwrap().remove(member).unwrap();
}

/// Another hash.
fn flip(hash: &mut Value) {
    let text = hash.as_str().unwrap();
    let first = if text.starts_with('0') { "1" } else { "0" };
    *hash = json!(format!("{first}{}", &text[1..]));
}

/// The last element again.
fn double(array: &mut Value) {
    let array = array.as_array_mut().unwrap();
    array.extend(array.last().cloned());
}
