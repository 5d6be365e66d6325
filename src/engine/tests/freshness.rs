//! The time for which a device uses a plan that the organization has not confirmed.

use std::sync::Arc;

use jiff::civil::Date;

use super::Device;
use crate::{
    WithheldReason,
    outbox::{Quota, SampleState},
    plan::{Freshness, Plan},
    testing::{Organization, QA, days, folder, plan},
    upload::{HttpResponse, PROTOCOL_HEADER, TaskKind, TaskStatus, UploadResult},
};

/// The day that the clock of a new device shows.
const FIRST: &str = "2026-03-02";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Version 1 with three days of freshness, signed on the first day.
fn three_days() -> Plan {
    Plan {
        fresh_days: Some(3),
        signed_on: Some(day(FIRST)),
        ..plan(1)
    }
}

fn device() -> Device {
    let device = Device::with(folder(), three_days(), Quota::default());
    device.consent_to(QA);
    device
}

impl Device {
    /// The plan is requested, and the collector responds that there is no newer one, with this header.
    fn hears(&self, header: Option<&str>) -> TaskStatus {
        let freshness = header.map(|value| ("sordino-plan-freshness".to_owned(), value.to_owned()));
        self.asks_for_plan(304, freshness, Vec::new())
    }

    fn asks_for_plan(
        &self,
        status: u16,
        header: Option<(String, String)>,
        body: Vec<u8>,
    ) -> TaskStatus {
        self.engine.renew_plan().unwrap();
        let request = self.engine.next_upload_task().unwrap().unwrap();
        assert_eq!(request.task.kind, TaskKind::FetchPlan);
        let protocol = (PROTOCOL_HEADER.to_owned(), "1".to_owned());
        let answer = HttpResponse {
            status,
            headers: [protocol].into_iter().chain(header).collect(),
            body,
        };
        let outcome = UploadResult::Response(answer);
        self.engine
            .process_upload_result(&request.task, outcome)
            .unwrap()
    }

    fn hears_that(&self, plan: u64, on: &str) -> TaskStatus {
        self.hears(Some(&self.statement(plan, on)))
    }

    fn statement(&self, plan: u64, on: &str) -> String {
        Freshness::to_header(&self.organization.freshness(plan, day(on)).to_json())
    }

    fn withheld(&self) -> Option<WithheldReason> {
        self.engine.sampling_blocked().unwrap()
    }

    fn is_fresh(&self) -> bool {
        match self.withheld() {
            None => true,
            Some(WithheldReason::PlanNotFresh) => false,
            Some(other) => panic!("{other}"),
        }
    }
}

#[test]
fn an_unconfirmed_plan_blocks_sampling_and_uploads() {
    let device = device();
    let sample = device.queue().unwrap();
    device.clock.advance(days(3));
    assert!(device.is_fresh());
    device.clock.advance(days(1));
    assert!(!device.is_fresh());
    // Only the plan is requested; everything else continues to wait.
    assert_eq!(device.hears(None), TaskStatus::Done);
    assert!(device.engine.next_upload_task().unwrap().is_none());
    assert_eq!(device.state_of(sample), SampleState::Pending);
    let waiting = device.engine.status().unwrap().waiting;
    assert!(!waiting.is_empty());
    for waiting in waiting {
        assert_eq!(
            waiting.reason,
            Some(WithheldReason::PlanNotFresh.to_string())
        );
    }

    assert_eq!(device.hears_that(1, "2026-03-06"), TaskStatus::Done);
    assert!(device.is_fresh());
    let next = device.engine.next_upload_task().unwrap().unwrap();
    assert!(matches!(next.task.kind, TaskKind::Register { .. }));
    device.clock.advance(days(3));
    assert!(device.is_fresh());
    device.clock.advance(days(1));
    assert!(!device.is_fresh());
}

#[test]
fn a_newer_plan_counts_as_a_confirmation() {
    let device = device();
    device.clock.advance(days(4));
    assert!(!device.is_fresh());
    let next = Plan {
        version: 2,
        signed_on: Some(day("2026-03-06")),
        ..three_days()
    };
    let next = device.organization.sign(next);
    assert_eq!(device.asks_for_plan(200, None, next), TaskStatus::Done);
    assert!(device.is_fresh());
    let without = device.organization.sign(plan(3));
    assert_eq!(device.asks_for_plan(200, None, without), TaskStatus::Done);
    device.clock.advance(days(300));
    assert!(device.is_fresh());
}

#[test]
fn withdrawals_are_sent_under_a_stale_plan() {
    let device = device();
    let record = device.engine.grants().unwrap().record();
    device.mark_offered(record);
    device.clock.advance(days(4));
    assert!(!device.is_fresh());
    device.engine.withdraw(None).unwrap();
    let request = device.engine.next_upload_task().unwrap().unwrap();
    assert!(matches!(request.task.kind, TaskKind::Withdraw { .. }));
}

#[test]
fn an_invalid_statement_is_reported_and_ignored() {
    let device = device();
    device.clock.advance(days(4));
    let foreign = Freshness::to_header(
        &Organization::new()
            .freshness(1, day("2026-03-06"))
            .to_json(),
    );
    let long = format!(":{}:", "A".repeat(1 << 20));
    for (header, says) in [
        (foreign.as_str(), "signed by another key"),
        ("all is well", "byte sequence"),
        (":e30=:", "not signed"),
        (&long, "at most 4096"),
    ] {
        match device.hears(Some(header)) {
            TaskStatus::Refused { reason, .. } => assert!(reason.contains(says), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert!(!device.is_fresh());
    }
    // Of an older day, or replayed: nothing to report.
    assert_eq!(device.hears_that(1, "2026-03-01"), TaskStatus::Done);
    assert_eq!(device.hears_that(1, FIRST), TaskStatus::Done);
    assert!(!device.is_fresh());
}

#[test]
fn a_statement_for_a_newer_plan_invalidates_the_older() {
    let device = device();
    assert!(device.is_fresh());
    assert_eq!(device.hears_that(2, FIRST), TaskStatus::Done);
    assert!(!device.is_fresh());
    // Nor does a later day of the older version make it good.
    device.clock.advance(days(1));
    assert_eq!(device.hears_that(1, "2026-03-03"), TaskStatus::Done);
    assert!(!device.is_fresh());
}

#[test]
fn a_statement_is_accepted_without_its_plan() {
    let device = device();
    device.clock.advance(days(4));
    let header = (
        "sordino-plan-freshness".to_owned(),
        device.statement(1, "2026-03-06"),
    );
    let finished = device.asks_for_plan(200, Some(header), b"no plan".to_vec());
    assert!(matches!(finished, TaskStatus::Refused { .. }));
    assert!(device.is_fresh());
}

#[test]
fn a_statement_from_the_future_lasts_as_long_as_today() {
    let device = device();
    device.clock.advance(days(2));
    for _ in 0..4 {
        assert_eq!(device.hears_that(1, "2099-01-01"), TaskStatus::Done);
        assert!(device.is_fresh());
        device.clock.advance(days(1));
    }
    assert!(!device.is_fresh());
    assert_eq!(device.hears_that(1, "2099-01-01"), TaskStatus::Done);
    assert!(!device.is_fresh());

    // Nor does a plan that states that day as its own.
    let device = Device::with(folder(), plan(1), Quota::default());
    device.consent_to(QA);
    let future = Plan {
        signed_on: Some(day("2099-01-01")),
        version: 2,
        ..three_days()
    };
    let future = device.organization.sign(future);
    device.engine.install_plan(&future).unwrap();
    device.clock.advance(days(3));
    assert!(device.is_fresh());
    device.clock.advance(days(1));
    device.engine.install_plan(&future).unwrap();
    assert!(!device.is_fresh());
}

#[test]
fn setting_the_clock_does_not_make_a_plan_fresh() {
    let device = device();
    device.clock.advance(days(2));
    assert!(device.is_fresh());
    device.clock.advance(days(-30));
    assert!(device.is_fresh());
    device.clock.advance(days(2));
    assert!(!device.is_fresh());
    let device = device.restart(|clock| clock.advance(days(-300)));
    assert!(!device.is_fresh());
    // Set forth, it ends sooner; set back again, it has ended.
    assert_eq!(device.hears_that(1, "2026-03-06"), TaskStatus::Done);
    assert!(device.is_fresh());
    device.clock.advance(days(31));
    assert!(!device.is_fresh());
    device.clock.advance(days(-31));
    assert!(!device.is_fresh());
}

#[test]
fn a_restart_and_a_reset_keep_the_newest_statement() {
    let device = device();
    device.clock.advance(days(3));
    assert_eq!(device.hears_that(1, "2026-03-05"), TaskStatus::Done);
    let device = device.restart(|clock| clock.advance(days(3)));
    assert!(device.is_fresh());
    assert_eq!(device.hears_that(1, "2026-03-03"), TaskStatus::Done);
    let device = device.restart(|_| ());
    assert!(device.is_fresh());
    let stopped = device.stop();
    let clock = Arc::clone(&stopped.clock) as Arc<dyn crate::Clock>;
    assert!(crate::Sordino::reset_by(stopped.folder.path(), &clock).unwrap());
    let device = stopped.start();
    device.consent_to(QA);
    assert!(device.is_fresh());
    device.clock.advance(days(1));
    assert!(!device.is_fresh());
}

#[test]
fn a_plan_without_fresh_days_ignores_statements() {
    let device = Device::with(folder(), plan(1), Quota::default());
    device.consent_to(QA);
    device.clock.advance(days(300));
    assert!(device.is_fresh());
    assert_eq!(device.hears(Some("all is well")), TaskStatus::Done);
    assert_eq!(device.hears_that(2, FIRST), TaskStatus::Done);
    assert!(device.is_fresh());
}
