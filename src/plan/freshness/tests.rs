use proptest::prelude::*;

use super::*;
use crate::{
    plan::{PlanError, SignedPlan},
    testing::{Organization, cases, plan},
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn fresh_plan(version: u64) -> Plan {
    Plan {
        fresh_days: Some(7),
        signed_on: Some(day("2026-03-02")),
        ..plan(version)
    }
}

#[test]
fn a_statement_survives_the_header() {
    let organization = Organization::new();
    let signed = organization.freshness(3, day("2026-03-02"));
    let header = Freshness::to_header(&signed.to_json());
    assert!(header.len() < 500, "{header}");
    let read = Freshness::from_header(&header, &organization.key()).unwrap();
    assert_eq!(read.content(), &Freshness::new(3, day("2026-03-02")));
    let blanks = format!(" {header}\t");
    assert!(Freshness::from_header(&blanks, &organization.key()).is_ok());
}

#[test]
fn an_invalid_freshness_header_is_rejected_with_a_reason() {
    let organization = Organization::new();
    let read = |header: &str| Freshness::from_header(header, &organization.key()).err();
    let good = Freshness::to_header(&organization.freshness(3, day("2026-03-02")).to_json());
    let inner = good.trim_matches(':');
    for garbage in [
        "",
        ":",
        "::x",
        "\u{0}",
        inner,
        &good[1..],
        &format!("{good}, {good}"),
    ] {
        let refused = read(garbage);
        assert!(
            matches!(refused, Some(FreshnessError::Header)),
            "{garbage}: {refused:?}"
        );
    }
    assert!(matches!(
        read("::"),
        Some(FreshnessError::Signature(SignedError::Shape(_)))
    ));
    let long = format!(":{}:", "A".repeat(Freshness::MAX_HEADER));
    assert_eq!(read(&long), Some(FreshnessError::TooLong(long.len())));
    let forged = Freshness::to_header(
        &Organization::new()
            .freshness(3, day("2026-03-02"))
            .to_json(),
    );
    assert_eq!(
        read(&forged),
        Some(FreshnessError::Signature(SignedError::WrongKey))
    );
    let changed = organization
        .freshness(3, day("2026-03-02"))
        .to_json()
        .replace("03-02", "03-03");
    let changed = format!(":{}:", BASE64.encode(changed));
    assert_eq!(
        read(&changed),
        Some(FreshnessError::Signature(SignedError::Forged))
    );
    let none = Freshness::to_header(&organization.freshness(0, day("2026-03-02")).to_json());
    assert_eq!(read(&none), Some(FreshnessError::Version));
}

#[test]
fn plans_and_statements_are_not_interchangeable() {
    let organization = Organization::new();
    let statement = organization.freshness(3, day("2026-03-02")).to_json();
    let taken = Plan::verify(statement.as_bytes(), &organization.key());
    assert!(matches!(
        taken,
        Err(PlanError::Signature(SignedError::Shape(_)))
    ));
    let plan = organization.sign(fresh_plan(3));
    let taken = Freshness::verify(&plan, &organization.key());
    assert!(matches!(
        taken,
        Err(FreshnessError::Signature(SignedError::Shape(_)))
    ));
    // A document with the same content and another kind.
    for other in [
        r#"{"plan":3,"day":"2026-03-02"}"#,
        r#"{"plan":3,"day":"2026-03-02","statement":"audit-head"}"#,
        r#"{"plan":3,"day":"2026-03-02","statement":"plan-freshness","more":1}"#,
    ] {
        let other = organization.sign_any(other);
        assert!(Freshness::verify(&other, &organization.key()).is_err());
    }
    let same = r#"{"plan":3,"day":"2026-03-02","statement":"plan-freshness"}"#;
    assert!(Freshness::verify(&organization.sign_any(same), &organization.key()).is_ok());
}

#[test]
fn a_plan_is_fresh_through_the_last_of_its_days() {
    let signer = Organization::new().key();
    let plan = fresh_plan(3);
    let newest = Newest::after(
        None,
        Freshness::new(3, day("2026-03-02")),
        signer,
        day("2026-03-02"),
    );
    let fresh = |plan: &Plan, today| plan.is_fresh(newest.as_ref(), &signer, day(today));
    assert!(fresh(&plan, "2026-03-09"));
    assert!(!fresh(&plan, "2026-03-10"));
    assert_eq!(plan.fresh_through(None), Some(day("2026-03-09")));
    let refreshed = Some(Freshness::new(3, day("2026-03-05")));
    assert_eq!(plan.fresh_through(refreshed), Some(day("2026-03-12")));
    // Another version, another key, or no statement at all.
    assert!(!fresh(&fresh_plan(2), "2026-03-02"));
    assert!(!fresh(&fresh_plan(4), "2026-03-02"));
    assert!(!plan.is_fresh(
        newest.as_ref(),
        &Organization::new().key(),
        day("2026-03-02")
    ));
    assert!(!plan.is_fresh(None, &signer, day("2026-03-02")));
    assert!(crate::testing::plan(9).is_fresh(None, &signer, day("2039-01-01")));
}

#[test]
fn a_statement_from_the_future_counts_from_its_arrival() {
    let signer = Organization::new().key();
    let far = Freshness::new(3, day("2099-01-01"));
    let newest = Newest::after(None, far, signer, day("2026-03-02")).unwrap();
    assert_eq!(newest.counts_from, day("2026-03-02"));
    assert_eq!(
        Newest::after(Some(newest), far, signer, day("2026-03-20")),
        None
    );
    let tomorrow = Freshness::new(3, day("2026-03-03"));
    let newest = Newest::after(None, tomorrow, signer, day("2026-03-02")).unwrap();
    assert_eq!(newest.counts_from, day("2026-03-03"));
    let end = Newest::after(None, Freshness::new(3, Date::MAX), signer, Date::MAX).unwrap();
    assert!(fresh_plan(3).is_fresh(Some(&end), &signer, Date::MAX));
}

#[test]
fn a_plan_has_both_members_or_neither() {
    let refused = |fresh_days, signed_on: Option<&str>| {
        let plan = Plan {
            fresh_days,
            signed_on: signed_on.map(day),
            ..plan(1)
        };
        match plan.check_bounds() {
            Ok(()) => None,
            Err(PlanError::Field { field, .. }) => Some(field),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(refused(None, None), None);
    assert_eq!(refused(Some(1), Some("2026-03-02")), None);
    assert_eq!(refused(Some(60), Some("2026-03-02")), None);
    assert_eq!(refused(Some(0), Some("2026-03-02")), Some("fresh_days"));
    assert_eq!(refused(Some(61), Some("2026-03-02")), Some("fresh_days"));
    assert_eq!(refused(Some(7), None), Some("signed_on"));
    assert_eq!(refused(None, Some("2026-03-02")), Some("signed_on"));
}

/// As plans were signed before there was `fresh_days`.
#[test]
fn a_plan_without_fresh_days_is_signed_as_before() {
    const BEFORE: &str = r#"{"bytes_per_day":4000000,"clip_seconds":10,"consent_days":365,"expires":"2030-12-31","notice_version":1,"paused":false,"pre_roll_seconds":8,"purposes":["quality-assurance","recognition-research"],"recipients":["age12fscpxgnuwv3n48y89wdzaug6xxe9nyuymnj8j59l307zqf5hs2sdyw4ac"],"sample_rate":16000,"samples_per_day":20,"triggers":{"mark_probability":1,"random_probability":0.02},"version":1}"#;
    let plan: Plan = serde_json::from_str(BEFORE).unwrap();
    assert_eq!(plan.check_bounds(), Ok(()));
    let organization = Organization::new();
    let again = SignedPlan::verify(&organization.sign(plan), &organization.key()).unwrap();
    let before = String::from_utf8(organization.sign_any(BEFORE)).unwrap();
    assert_eq!(again.to_json(), before);
}

proptest! {
    #![proptest_config(cases(256, 10_000))]

    #[test]
    fn a_device_never_goes_back_to_an_older_statement(
        came in prop::collection::vec((1..4_u64, 0..40_i64, 0..3_i64), 1..40),
    ) {
        let signer = Organization::new().key();
        let (begin, mut today) = (day("2026-03-02"), day("2026-03-02"));
        let mut held: Option<Newest> = None;
        for (plan, offset, passed) in came {
            today = later(today, passed);
            let statement = Freshness::new(plan, later(begin, offset));
            let next = Newest::after(held, statement, signer, today).or(held).unwrap();
            if let Some(before) = held {
                prop_assert_eq!(next.statement, before.statement.max(statement));
                // A repeated statement does not renew anything.
                prop_assert!(next.statement != before.statement || next == before);
            }
            prop_assert!(next.counts_from <= later(today, 1));
            prop_assert!(next.counts_from <= next.statement.day);
            held = Some(next);
        }
    }
}
