//! Backoff after failures.

use std::time::Duration;

use super::*;

#[test]
fn retry_after_applies_to_manual_uploads_too() {
    for status in [429, 503] {
        let device = Device::new();
        let task = device.send();
        device.finish(&task, answered_with(status, &[("retry-after", "7200")]));
        let grants = device.grants().unwrap();
        let scope = Scope::Samples {
            grants: &grants,
            plan_version: 1,
        };
        let tried = Default::default();
        let hurried = device
            .protocol
            .next(Some(scope), Urgency::Now { tried: &tried });
        assert!(hurried.unwrap().is_none());
        assert_eq!(device.wait_until_due(), SignedDuration::from_hours(2));
    }
}

#[test]
fn backoff_is_limited_to_a_day_even_if_the_clock_is_set_back() {
    let device = Device::new();
    let task = device.send();
    let never = [("retry-after", "18446744073709551615")];
    device.finish(&task, answered_with(429, &never));
    assert_eq!(device.wait_until_due(), SignedDuration::from_hours(24));
    let task = device.send();
    device.finish(&task, answered_with(429, &[("retry-after", "86400")]));
    device.clock.advance(SignedDuration::from_hours(-24 * 365));
    assert!(device.wait_until_due() < SignedDuration::from_hours(1));
}

#[test]
fn backoff_grows_up_to_six_hours_and_resets_on_success() {
    let (mut early, mut late) = (SignedDuration::ZERO, SignedDuration::ZERO);
    for _ in 0..8 {
        let device = Device::new();
        for failure in 0..14 {
            let task = device.send();
            device.finish(&task, UploadResult::Unreachable(String::new()));
            let wait = device.wait_until_due();
            let most =
                Duration::from_secs(30 << failure.min(10)).min(Duration::from_secs(6 * 3600));
            let minute = Duration::from_secs(60);
            assert!(
                wait.unsigned_abs() <= most + minute,
                "{wait} after {failure}"
            );
            *if failure < 4 { &mut early } else { &mut late } += wait;
        }
        device.withdraw(both());
        let next = device.next().unwrap().task;
        assert!(
            matches!(next.kind, TaskKind::Withdraw { .. }),
            "a withdrawal has no backoff"
        );
    }
    assert!(late > early * 10, "{early} then {late}");
}
