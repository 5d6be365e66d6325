//! Statements that the plan is the newest one: taken from the organization alone, and handed on with each answer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::{Span, Timestamp, civil::Date, tz::Offset};
use ring::signature::Ed25519KeyPair;
use serde_json::Value;
use sordino::{
    Purpose,
    plan::{Freshness, Plan, SignedPlan},
    signed::PublicKey,
};

use crate::support::*;

/// A collector whose plan is fresh for three days, and the key that signed it.
struct Organization {
    key: Ed25519KeyPair,
    collector: Collector,
}

impl Organization {
    fn with_plan(change: impl FnOnce(&mut Plan)) -> Self {
        let key = key();
        let mut plan = plan(2, "2999-01-01", &[recipient(1)], &Purpose::ALL);
        (plan.fresh_days, plan.signed_on) = (Some(3), Some(day(-10)));
        change(&mut plan);
        let signed = SignedPlan::sign(plan, &key).unwrap();
        let collector = Collector::start_with(|config| {
            let path = config.data.join("plan.json");
            fs::write(&path, signed.to_pretty_json()).unwrap();
            config.plan = Some(path);
            config.metrics = Some("127.0.0.1:0".to_owned());
        });
        Self { key, collector }
    }

    fn new() -> Self {
        Self::with_plan(|_| ())
    }

    fn statement(&self, plan: u64, day: Date) -> PathBuf {
        self.statement_by(&self.key, plan, day)
    }

    fn statement_by(&self, key: &Ed25519KeyPair, plan: u64, day: Date) -> PathBuf {
        let path = self.collector.data().join("statement.json");
        let signed = Freshness::sign(plan, day, key).unwrap();
        fs::write(&path, signed.to_pretty_json()).unwrap();
        path
    }

    fn data(&self) -> &str {
        self.collector.data().to_str().unwrap()
    }

    /// Runs `plan refresh`.
    fn take(&self, statement: &Path) -> Result<Value, String> {
        let statement = statement.to_str().unwrap();
        let output = run(&[
            "plan",
            "refresh",
            statement,
            "--data",
            self.data(),
            "--json",
        ]);
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
            false => Err(String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// The day that devices are message of, with a plan that they lack and with one that they have.
    fn served(&self) -> Option<Date> {
        let lacks = Request::new("GET", "/v1/plan");
        let has = lacks.clone().header("If-None-Match", "\"2\"");
        let [first, second] = [(lacks, 200), (has, 304)].map(|(request, status)| {
            let answer = self.collector.send(&request).expect(status);
            let header = answer.header("sordino-plan-freshness")?;
            assert!(header.len() <= Freshness::MAX_HEADER);
            let json = BASE64.decode(header.strip_prefix(':')?.strip_suffix(':')?);
            let key = PublicKey::from_key_pair(&self.key);
            let statement = Freshness::verify(&json.unwrap(), &key).unwrap();
            assert_eq!(statement.content().plan, 2);
            Some(statement.content().day)
        });
        assert_eq!(first, second);
        first
    }

    /// The time at which devices stop, from the metrics.
    fn fresh_until(&self) -> i64 {
        let page = self.collector.metrics_page();
        let name = "sordino_plan_fresh_until_timestamp_seconds ";
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().parse().unwrap()
    }
}

/// The date that many days from today, in UTC.
fn day(days: i64) -> Date {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    today.checked_add(Span::new().days(days)).unwrap()
}

#[test]
fn a_statement_is_served_at_once_and_after_a_restart() {
    let mut organization = Organization::new();
    assert_eq!(organization.served(), None);
    let message = organization
        .take(&organization.statement(2, day(-1)))
        .unwrap();
    assert_eq!(message["version"], 2);
    assert_eq!(message["day"], day(-1).to_string());
    assert_eq!(message["fresh_through"], day(2).to_string());
    assert_eq!(organization.served(), Some(day(-1)));
    organization.collector.restart();
    assert_eq!(organization.served(), Some(day(-1)));
    // Again, and a newer one.
    organization
        .take(&organization.statement(2, day(-1)))
        .unwrap();
    organization
        .take(&organization.statement(2, day(0)))
        .unwrap();
    assert_eq!(organization.served(), Some(day(0)));
}

#[test]
fn an_invalid_statement_is_rejected_and_the_last_one_kept() {
    let organization = Organization::new();
    organization
        .take(&organization.statement(2, day(-1)))
        .unwrap();
    let file = |text: &str| {
        let path = organization.collector.data().join("file.json");
        fs::write(&path, text).unwrap();
        path
    };
    let plan = organization.collector.config.plan.clone().unwrap();
    let refused = |statement: PathBuf, says: &str| {
        let message = organization.take(&statement).unwrap_err();
        assert!(
            message.lines().count() == 1 && message.contains(says),
            "{message}"
        );
        assert_eq!(organization.served(), Some(day(-1)));
    };
    refused(organization.statement(2, day(-2)), "but a newer one of");
    refused(organization.statement(1, day(0)), "version 2 is in force");
    refused(
        organization.statement(3, day(0)),
        "start the collector with version 3 first",
    );
    refused(organization.statement(2, day(3)), "today is");
    refused(organization.statement_by(&key(), 2, day(0)), "another key");
    refused(file("all is well"), "not a document of this kind");
    refused(file(&" ".repeat(1 << 20)), "at most 4096");
    refused(plan, "not a document of this kind");
    refused(organization.collector.data().join("nothing"), "cannot read");
}

#[test]
fn a_plan_without_fresh_days_rejects_statements() {
    let organization =
        Organization::with_plan(|plan| (plan.fresh_days, plan.signed_on) = (None, None));
    let message = organization
        .take(&organization.statement(2, day(0)))
        .unwrap_err();
    assert!(
        message.contains("requires no freshness statement"),
        "{message}"
    );
    assert_eq!(organization.served(), None);
    assert_eq!(organization.fresh_until(), 0);
    let without = Collector::start();
    let statement = organization.statement(2, day(0));
    let data = without.data().to_str().unwrap();
    let output = run(&[
        "plan",
        "refresh",
        statement.to_str().unwrap(),
        "--data",
        data,
    ]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("serve --plan"), "{message}");
}

#[test]
fn a_statement_older_than_the_plan_is_rejected() {
    let organization = Organization::with_plan(|plan| plan.signed_on = Some(day(0)));
    let message = organization
        .take(&organization.statement(2, day(-1)))
        .unwrap_err();
    assert!(message.contains("but a newer one of"), "{message}");
    assert_eq!(organization.served(), None);
}

#[test]
fn metrics_show_when_devices_stop() {
    let mut organization = Organization::new();
    let seconds = |day: Date| {
        Offset::UTC
            .to_timestamp(day.at(0, 0, 0, 0))
            .unwrap()
            .as_second()
    };
    assert_eq!(organization.fresh_until(), seconds(day(-6)));
    organization
        .take(&organization.statement(2, day(0)))
        .unwrap();
    // Counts of before are shown for a while.
    organization.collector.restart();
    assert_eq!(organization.fresh_until(), seconds(day(4)));
}

#[test]
fn a_backup_contains_the_statement() {
    let organization = Organization::new();
    if organization.collector.config.database.is_some() {
        // Backups of both databases are tested with the others.
        return;
    }
    organization
        .take(&organization.statement(2, day(0)))
        .unwrap();
    let (backup, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = backup.path().join("backup");
    let folder = folder.to_str().unwrap();
    let output = run(&["backup", "--data", organization.data(), folder]);
    assert!(output.status.success(), "{output:?}");
    let data = restored.path().to_str().unwrap();
    let output = run(&["restore", "--data", data, folder]);
    assert!(output.status.success(), "{output:?}");
    let Organization { key, .. } = organization;
    let collector = Collector::start_with(|config| {
        fs::remove_dir_all(&config.data).unwrap();
        fs::rename(restored.keep(), &config.data).unwrap();
        config.metrics = Some("127.0.0.1:0".to_owned());
    });
    assert_eq!(Organization { key, collector }.served(), Some(day(0)));
}
