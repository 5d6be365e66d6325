//! Each inconsistency in a response, and the error that names it.

use super::*;

#[test]
fn each_inconsistency_has_its_own_error() {
    let (device, sample) = with_sample();
    let mut log = TestLog::with_others(2);
    log.hand_out(sample);
    assert_eq!(reported(&device, &log, sample).broken, None);
    log.hand_out(sample);
    log.hand_out(Id::random().unwrap());
    log.hand_out(sample);
    let whole = log.answer(sample, 3);
    // An access of another log, with a proof of that log.
    let mut other = log.clone();
    other.cut(3);
    other.hand_out_to(sample, "invented");
    other.hand_out(Id::random().unwrap());
    other.hand_out(sample);
    let invented = other.answer(sample, 3)["accesses"][1].clone();
    // One of another sample.
    let mut others = TestLog::with_others(2);
    others.hand_out(Id::random().unwrap());

    let cases: Vec<Case> = vec![
        (
            "without a head",
            LogInconsistency::Unproven,
            Box::new(|response| remove(response, "head")),
        ),
        (
            "without a root",
            LogInconsistency::Unproven,
            Box::new(|response| remove(&mut response["head"], "root")),
        ),
        (
            "without consistency",
            LogInconsistency::Unproven,
            Box::new(|response| remove(response, "consistency")),
        ),
        (
            "without a proof",
            LogInconsistency::Unproven,
            Box::new(|response| remove(&mut response["accesses"][1], "proof")),
        ),
        (
            "without previous",
            LogInconsistency::Unproven,
            Box::new(|response| remove(&mut response["accesses"][1], "previous")),
        ),
        (
            "without a number",
            LogInconsistency::Unproven,
            Box::new(|response| remove(&mut response["accesses"][1], "entry")),
        ),
        (
            "another root",
            LogInconsistency::Inconsistent { before: 3, now: 6 },
            Box::new(|response| flip(&mut response["head"]["root"])),
        ),
        (
            "another consistency",
            LogInconsistency::Inconsistent { before: 3, now: 6 },
            Box::new(|response| flip(&mut response["consistency"][1])),
        ),
        (
            "more consistency",
            LogInconsistency::Inconsistent { before: 3, now: 6 },
            Box::new(|response| double(&mut response["consistency"])),
        ),
        (
            "another reader",
            LogInconsistency::WrongHash { entry: 4 },
            Box::new(|response| response["accesses"][1]["reader"] = json!("somebody")),
        ),
        (
            "another week",
            LogInconsistency::WrongHash { entry: 4 },
            Box::new(|response| response["accesses"][1]["week"] = json!("2026-W11")),
        ),
        (
            "another purpose",
            LogInconsistency::WrongHash { entry: 4 },
            Box::new(|response| {
                response["accesses"][1]["purpose"] = json!(Purpose::RecognitionResearch)
            }),
        ),
        (
            "another hash",
            LogInconsistency::WrongHash { entry: 4 },
            Box::new(|response| flip(&mut response["accesses"][1]["hash"])),
        ),
        (
            "another one before",
            LogInconsistency::WrongHash { entry: 4 },
            Box::new(|response| flip(&mut response["accesses"][1]["previous"])),
        ),
        (
            "another number",
            LogInconsistency::WrongHash { entry: 5 },
            Box::new(|response| response["accesses"][1]["entry"] = json!(5)),
        ),
        (
            "another head",
            LogInconsistency::WrongHash { entry: 6 },
            Box::new(|response| flip(&mut response["head"]["hash"])),
        ),
        (
            "number 0",
            LogInconsistency::WrongHash { entry: 0 },
            Box::new(|response| response["accesses"][0]["entry"] = json!(0)),
        ),
        (
            "another proof",
            LogInconsistency::NotIncluded { entry: 4 },
            Box::new(|response| flip(&mut response["accesses"][1]["proof"][0])),
        ),
        (
            "a shorter proof",
            LogInconsistency::NotIncluded { entry: 4 },
            Box::new(|response| response["accesses"][1]["proof"] = json!([])),
        ),
        (
            "an invented access",
            LogInconsistency::NotIncluded { entry: 4 },
            Box::new(move |response| response["accesses"][1] = invented.clone()),
        ),
        (
            "swapped",
            LogInconsistency::OutOfOrder { entry: 4 },
            Box::new(|response| response["accesses"].as_array_mut().unwrap().swap(1, 2)),
        ),
        (
            "twice",
            LogInconsistency::OutOfOrder { entry: 6 },
            Box::new(|response| double(&mut response["accesses"])),
        ),
        (
            "left out",
            LogInconsistency::LeftOut { entry: 3 },
            Box::new(|response| drop(response["accesses"].as_array_mut().unwrap().remove(0))),
        ),
        (
            "all left out",
            LogInconsistency::LeftOut { entry: 3 },
            Box::new(|response| response["accesses"] = json!([])),
        ),
    ];
    for (what, broken, forge) in cases {
        let mut forged = whole.clone();
        forge(&mut forged);
        let accesses = read(&device, &task(&device, sample), &forged).unwrap();
        assert_eq!(accesses.broken, Some(broken), "{what}");
        // Nothing of it is stored.
        let expected = TaskKind::ReadAccesses { sample, seen: 3 };
        assert_eq!(task(&device, sample).kind, expected, "{what}");
    }
    assert_eq!(reported(&device, &log, sample).broken, None);
    // Its new accesses are expected from now on.
    let mut left_out = log.answer(sample, 6);
    left_out["accesses"].as_array_mut().unwrap().pop();
    let accesses = read(&device, &task(&device, sample), &left_out).unwrap();
    assert_eq!(
        accesses.broken,
        Some(LogInconsistency::LeftOut { entry: 6 })
    );
}

/// A name, the expected inconsistency, and the modification of the response.
type Case = (&'static str, LogInconsistency, Box<dyn Fn(&mut Value)>);
