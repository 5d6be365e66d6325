//! The organization's key, and signed plans.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use clap::Subcommand;
use jiff::{Timestamp, civil::Date, tz::Offset};
use ring::{pkcs8::Document, rand::SystemRandom, signature::Ed25519KeyPair};
use serde_json::json;
use sordino::{
    plan::{Controller, Freshness, Plan, Recipient, Review, SignedPlan},
    signed::PublicKey,
    text::printable_line,
};

use crate::{
    command_output::CommandOutput,
    error::CliError,
    files,
    output_files::{OutputFile, OutputFiles, Overwrite},
    secrets::ORGANIZATION_KEY_LABEL,
};

/// The recipient of samples/plan.toml.
const EXAMPLE_RECIPIENT: &str = "age12fscpxgnuwv3n48y89wdzaug6xxe9nyuymnj8j59l307zqf5hs2sdyw4ac";
/// The name and the contact in samples/plan.toml.
const EXAMPLE_CONTROLLER: (&str, &str) = ("Your company", "privacy@example.com");

#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Generate the organization's Ed25519 key; print the public key
    Keygen {
        /// The file to write, readable by its owner only
        #[arg(long)]
        out: PathBuf,
    },
    /// Sign a plan written in TOML
    Sign {
        /// The plan
        plan: PathBuf,
        /// The organization's key
        #[arg(long)]
        key: PathBuf,
        /// The signed plan to write
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Sign a statement that a plan is current today, which devices need under `fresh_days`
    Refresh {
        /// The signed plan
        plan: PathBuf,
        /// The organization's key that signed the plan
        #[arg(long)]
        key: PathBuf,
        /// The statement to write [default: the plan's name with the extension `freshness.json`]
        #[arg(long, short)]
        out: Option<PathBuf>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Print a signed plan
    Show {
        /// The signed plan
        plan: PathBuf,
    },
}

pub(crate) fn run(command: PlanCommand) -> Result<CommandOutput, CliError> {
    match command {
        PlanCommand::Keygen { out } => keygen(&out),
        PlanCommand::Sign {
            plan,
            key,
            out,
            overwrite,
        } => {
            let pair = read_organization_key(&key)?;
            let signed = sign(&plan, &pair)?;
            let own = PublicKey::from_key_pair(&pair);
            let output = OutputFiles::new([plan.as_path(), &key], overwrite).public(&out)?;
            let output = output.replace_if(move |json| Plan::verify(json, &own).is_ok());
            output.write(format!("{}\n", signed.to_pretty_json()).as_bytes())?;
            let version = signed.content().version;
            let reply = CommandOutput::new(
                format!("signed plan version {version} to {}", out.display()),
                json!({ "version": version, "plan": out, "key": signed.signer() }),
            )?;
            Ok(reply.with_note(example_controller_note(signed.content())))
        }
        PlanCommand::Refresh {
            plan,
            key,
            out,
            overwrite,
        } => {
            let out = out.unwrap_or_else(|| plan.with_extension("freshness.json"));
            let output = OutputFiles::new([plan.as_path(), &key], overwrite).public(&out)?;
            refresh(&plan, &key, &out, output)
        }
        PlanCommand::Show { plan } => show(&plan),
    }
}

fn keygen(out: &Path) -> Result<CommandOutput, CliError> {
    let (pkcs8, pair) = new_key()?;
    let public = PublicKey::from_key_pair(&pair);
    let text = format!(
        "# public key: {public}\n{ORGANIZATION_KEY_LABEL}{}\n",
        BASE64.encode(pkcs8.as_ref())
    );
    files::write_secret(out, text.as_bytes())?;
    CommandOutput::new(
        format!("wrote {}\npublic key: {public}", out.display()),
        json!({ "key": out, "public_key": public }),
    )
}

/// A new key for an organization, with its PKCS #8 form.
pub(crate) fn new_key() -> Result<(Document, Ed25519KeyPair), CliError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| CliError::Message("the system's random source is not available".to_owned()))?;
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(CliError::message)?;
    Ok((pkcs8, pair))
}

/// The plan of samples/plan.toml.
pub(crate) fn example() -> Result<Plan, CliError> {
    toml::from_str(include_str!("../../../../samples/plan.toml")).map_err(CliError::message)
}

/// Reads the organization's key.
fn read_organization_key(path: &Path) -> Result<Ed25519KeyPair, CliError> {
    files::read_text(path)?
        .lines()
        .find_map(|line| line.strip_prefix(ORGANIZATION_KEY_LABEL))
        .and_then(|encoded| BASE64.decode(encoded.trim()).ok())
        .and_then(|pkcs8| Ed25519KeyPair::from_pkcs8(&pkcs8).ok())
        .ok_or_else(|| {
            CliError::content(path)("not a plan key; make one with `sordino plan keygen`")
        })
}

/// Signs the plan in `path`, written in TOML.
fn sign(path: &Path, key: &Ed25519KeyPair) -> Result<SignedPlan, CliError> {
    let text = files::read_text(path)?;
    let mut plan: Plan = toml::from_str(&text).map_err(|error: toml::de::Error| {
        CliError::content(path)(describe_toml_error(&error, &text))
    })?;
    if plan.signed_on.is_some() {
        return Err(CliError::content(path)(
            "the plan's `signed_on` is the day of signing; remove the line",
        ));
    }
    plan.signed_on = plan.fresh_days.map(|_| today());
    plan.check_bounds().map_err(CliError::content(path))?;
    if let Err(reason) = check_recipients(&plan.recipients) {
        return Err(CliError::content(path)(format!(
            "line {}: {reason}",
            line_of(EXAMPLE_RECIPIENT, &text)
        )));
    }
    SignedPlan::sign(plan, key).map_err(CliError::content(path))
}

/// Rejects the recipient of the example plan, alone or among others.
pub(super) fn check_recipients(recipients: &[Recipient]) -> Result<(), String> {
    let is_example = |recipient: &Recipient| recipient.to_string() == EXAMPLE_RECIPIENT;
    match recipients.iter().any(is_example) {
        true => Err(format!(
            "`{EXAMPLE_RECIPIENT}` is the recipient of the example plan, whose key you do not have; replace it by the recipient that `sordino keygen --out qa.key` printed"
        )),
        false => Ok(()),
    }
}

/// A warning if `plan` still has the controller of the example plan.
fn example_controller_note(plan: &Plan) -> Option<String> {
    let controller = plan.controller.as_ref()?;
    let left: Vec<String> = [
        ("name", controller.name.as_str(), EXAMPLE_CONTROLLER.0),
        ("contact", controller.contact.as_str(), EXAMPLE_CONTROLLER.1),
    ]
    .into_iter()
    .filter(|(_, given, example)| given == example)
    .map(|(member, _, example)| format!("{member} `{example}`"))
    .collect();
    let left = (!left.is_empty()).then(|| left.join(" and "))?;
    Some(format!(
        "every receipt will name the example plan's controller, {left}; write your own into [controller] and sign again"
    ))
}

/// The number of the first line of `text` with `word`, ignoring case.
fn line_of(word: &str, text: &str) -> usize {
    let holds = |line: &str| line.to_lowercase().contains(word);
    text.lines().position(holds).map_or(1, |line| line + 1)
}

/// Today in UTC, as devices count days.
fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

/// Signs that the plan in `path` is the newest one today, with the key that signed the plan.
fn refresh(
    path: &Path,
    key: &Path,
    out: &Path,
    output: OutputFile,
) -> Result<CommandOutput, CliError> {
    let plan = read(path)?;
    let content = plan.content();
    let Some(days) = content.fresh_days else {
        return Err(CliError::content(path)(
            "the plan has no `fresh_days` and needs no statement",
        ));
    };
    let pair = read_organization_key(key)?;
    if PublicKey::from_key_pair(&pair) != plan.signer() {
        return Err(CliError::content(key)(format!(
            "another key signed `{}`; name the one with the public key {}",
            path.display(),
            plan.signer()
        )));
    }
    let (version, today) = (content.version, today());
    let statement = Freshness::sign(version, today, &pair).map_err(CliError::content(path))?;
    let own = PublicKey::from_key_pair(&pair);
    let output = output.replace_if(move |json| Freshness::verify(json, &own).is_ok());
    output.write(format!("{}\n", statement.to_pretty_json()).as_bytes())?;
    let last = content.fresh_through(Some(*statement.content()));
    let last = last.map_or_else(String::new, |last| last.to_string());
    CommandOutput::new(
        format!(
            "signed that plan version {version} is the newest on {today} to {}; devices that receive it sample for \
             {days} more days, through {last}",
            out.display()
        ),
        json!({
            "version": version, "day": today.to_string(), "fresh_through": last, "statement": out,
            "key": plan.signer(),
        }),
    )
}

/// An error message in one line; TOML's own message has several.
fn describe_toml_error(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    match error.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!("line {line}: {message}")
        }
        None => message.to_owned(),
    }
}

/// The controller in one line.
pub(super) fn describe_controller(controller: &Controller) -> String {
    let country = controller.country.as_deref();
    [controller.name.as_str(), controller.contact.as_str()]
        .into_iter()
        .chain(country)
        .map(printable_line)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Reads and verifies a signed plan of any organization.
pub(crate) fn read(path: &Path) -> Result<SignedPlan, CliError> {
    let signed = SignedPlan::verify_any(files::read_text(path)?.as_bytes())
        .map_err(CliError::content(path))?;
    signed
        .content()
        .check_bounds()
        .map_err(CliError::content(path))?;
    Ok(signed)
}

/// The retention of each purpose, one line each.
fn kept(plan: &Plan) -> Vec<String> {
    let purposes = plan.purposes.iter();
    purposes
        .map(|purpose| match plan.retention_days(purpose) {
            Some(days) => format!("{days} days for {purpose}"),
            None => format!("without a limit for {purpose}"),
        })
        .collect()
}

fn show(path: &Path) -> Result<CommandOutput, CliError> {
    let signed = read(path)?;
    let plan = signed.content();
    let recipients: Vec<String> = plan.recipients.iter().map(ToString::to_string).collect();
    let text = format!(
        "version            {}\nsigned by          {}\nexpires            {}\nfresh              {}\npaused             {}\n\
         controller         {}\n\
         purposes           {}\nnotice version     {}\nconsent lasts      {} days\n\
         kept               {}\n\
         review             {}\n\
         recipients         {}\nmarked moments     taken with probability {}\n\
         random stretches   taken with probability {}\na day at most      {} samples, {} bytes\n\
         a sample           {} s, {} s of them before the mark, at {} Hz",
        plan.version,
        signed.signer(),
        plan.expires,
        match (plan.fresh_days, plan.signed_on) {
            (Some(days), Some(day)) =>
                format!("for {days} days after each statement; signed on {day}"),
            _ => "until it expires".to_owned(),
        },
        plan.paused,
        plan.controller
            .as_ref()
            .map_or("not named".to_owned(), describe_controller),
        plan.purposes,
        plan.notice_version,
        plan.consent_days,
        kept(plan).join("\n                   "),
        match plan.review {
            Review::None => "not required",
            Review::Required => "required: the person hears each sample before it is sealed",
        },
        recipients.join("\n                   "),
        plan.triggers.mark_probability,
        plan.triggers.random_probability,
        plan.samples_per_day,
        plan.bytes_per_day,
        plan.clip_seconds,
        plan.pre_roll_seconds,
        plan.sample_rate,
    );
    CommandOutput::new(text, json!({ "plan": plan, "signed_by": signed.signer() }))
}
