//! The head of the collector's access log, which the device remembers.

use super::Device;
use crate::upload::{Accesses, Answer, AuditHead, BrokenLog, Outcome};

fn told(device: &Device, head: Option<&str>) -> Accesses {
    let head: Option<AuditHead> = head.map(|head| head.parse().unwrap());
    let body = serde_json::json!({ "accesses": [], "head": head });
    let answer = Answer {
        status: 200,
        body: body.to_string().into_bytes(),
        ..Answer::default()
    };
    let accesses = device.engine.read_accesses(Outcome::Answered(answer));
    accesses.unwrap()
}

fn head(entries: u64, digit: char) -> String {
    format!("{entries}:{}", String::from(digit).repeat(64))
}

#[test]
fn a_log_that_shrinks_or_changes_is_told_of_for_as_long_as_it_does_not_come_back() {
    let device = Device::new();
    assert_eq!(told(&device, None).broken, None);
    assert_eq!(told(&device, Some(&head(7, 'a'))).broken, None);
    assert_eq!(told(&device, Some(&head(7, 'a'))).broken, None);
    let device = device.restart(|_| {});
    for _ in 0..2 {
        let broken = told(&device, Some(&head(6, 'b'))).broken;
        assert_eq!(broken, Some(BrokenLog::Shortened { before: 7, now: 6 }));
        let broken = told(&device, Some(&head(7, 'b'))).broken;
        assert_eq!(broken, Some(BrokenLog::Rewritten { entries: 7 }));
    }
    assert_eq!(told(&device, Some(&head(9, 'c'))).broken, None);
    assert!(told(&device, Some(&head(8, 'c'))).broken.is_some());
}

#[test]
fn a_collector_cannot_say_itself_that_its_log_is_broken_or_whole() {
    let device = Device::new();
    let body = br#"{"accesses": [], "broken": {"problem": "rewritten", "entries": 1}}"#;
    let answer = Answer {
        status: 200,
        body: body.to_vec(),
        ..Answer::default()
    };
    let accesses = device
        .engine
        .read_accesses(Outcome::Answered(answer))
        .unwrap();
    assert_eq!(accesses.broken, None);
}
