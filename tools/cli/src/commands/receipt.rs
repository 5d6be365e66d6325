//! Verifies receipts and prints their content.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use sordino::{
    Week,
    consent::{AgeBand, Record, SignedRecord},
};

use super::plan;
use crate::{command_output::CommandOutput, digest::sha256, error::CliError, files};

pub(super) fn verify(receipt: &Path, notice: Option<&Path>) -> Result<CommandOutput, CliError> {
    let signed = Record::verify(files::read_text(receipt)?.as_bytes())
        .map_err(CliError::content(receipt))?;
    let record = signed.content();
    if let Some(notice) = notice {
        check_notice(notice, &record.notice.sha256)?;
    }
    let mut lines = lines(&signed);
    lines.extend(
        notice.map(|notice| format!("{} is the text that was agreed to", notice.display())),
    );
    CommandOutput::new(
        lines.join("\n"),
        json!({
            "record": record.id,
            "revision": record.revision,
            "schema": record.schema,
            "key": signed.signer(),
            "purposes": record.purposes,
            "age_band": record.age_band,
            "guardian": record.guardian,
            "notice": record.notice,
            "notice_matches": notice.map(|_| true),
            "given": record.given,
            "holds_until": record.holds_until,
            "controller": record.controller,
        }),
    )
}

fn check_notice(notice: &Path, agreed: &str) -> Result<(), CliError> {
    let sha256 = sha256(&files::read(notice)?);
    if sha256 == agreed {
        return Ok(());
    }
    Err(CliError::content(notice)(format!(
        "not the text that was agreed to: its SHA-256 is {sha256}, the receipt names {agreed}"
    )))
}

fn lines(signed: &SignedRecord) -> Vec<String> {
    let whole = format!(
        "valid: unchanged since record {} signed it",
        signed.content().id
    );
    let mut lines = agreed(signed);
    lines.insert(0, whole);
    lines
}

/// The person's and the guardian's consent, one line each.
pub(super) fn agreed(signed: &SignedRecord) -> Vec<String> {
    let record = signed.content();
    let over = match record.holds_until < Week::from_timestamp(Timestamp::now()) {
        true => ", which is over",
        false => "",
    };
    vec![
        format!(
            "record             {}, revision {}, schema {}, key {}",
            record.id,
            record.revision,
            record.schema,
            signed.signer()
        ),
        format!("agreed to          {}", record.purposes),
        format!("age band           {}", age_band(record.age_band)),
        format!("guardian           {}", guardian(record)),
        format!(
            "notice             version {}, in {}, SHA-256 {}",
            record.notice.version, record.notice.language, record.notice.sha256
        ),
        format!("given              {}", record.given),
        format!(
            "holds until        {}{over}, unless it was withdrawn before",
            record.holds_until
        ),
        format!("controller         {}", controller(record)),
    ]
}

fn age_band(band: AgeBand) -> &'static str {
    match band {
        AgeBand::Adult => "adult",
        AgeBand::Child => "child",
        AgeBand::Unknown => "unknown, which counts as child",
    }
}

fn guardian(record: &Record) -> String {
    match record.guardian {
        None if record.age_band.needs_guardian() => {
            "has not approved; until then nothing may be sampled".to_owned()
        }
        None => "not needed".to_owned(),
        Some(approval) => {
            let evidence = approval
                .evidence
                .map(|hash| format!(", evidence {hash}"))
                .unwrap_or_default();
            format!(
                "approved in {} by {}{evidence}",
                approval.week, approval.method
            )
        }
    }
}

fn controller(record: &Record) -> String {
    match &record.controller {
        None => "not named".to_owned(),
        Some(organization) => match &organization.named {
            None => format!("the organization whose key is {}", organization.key),
            Some(named) => format!(
                "{}; its key is {}",
                plan::describe_controller(named),
                organization.key
            ),
        },
    }
}
