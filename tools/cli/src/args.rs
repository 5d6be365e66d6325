//! The command line, as docs and scripts know it.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use sordino::{
    Id, Purpose,
    consent::{AgeBand, GuardianMethod},
    plan::Recipient,
    signed::PublicKey,
    upload::{AuditHead, AuditRoot, Endpoint, NetworkSettings},
};

use crate::{
    commands::ReportArgs, error::CliError, evaluate::EvaluateArgs, output_files::Overwrite,
    query::QueryArgs,
};

/// Samples of music practice: anonymous, encrypted, and only with consent.
#[derive(Parser)]
#[command(name = "sordino", version, propagate_version = true)]
pub(crate) struct Cli {
    /// Print one JSON document on standard output, and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the whole loop on recordings, against a collector that is started for it
    Demo {
        /// Where report.html and dataset/ go
        #[arg(long, default_value = "demo-out")]
        out: PathBuf,
        /// The folder with the recordings
        #[arg(long, default_value = "samples/audio")]
        recordings: PathBuf,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Take voices out of recordings: NAME.wav and NAME.json each
    Anonymize {
        /// The recordings: WAV, FLAC, MP3, M4A, AAC, Ogg Vorbis, AIFF or CAF; `-` is standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The folder to write to
        #[arg(long)]
        out: PathBuf,
        /// Put silence where something was taken out, so that times stay aligned
        #[arg(long)]
        keep_time: bool,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Record the microphone to a WAV file, as a check of the capture path
    Capture {
        /// The WAV file to write
        #[arg(long)]
        out: PathBuf,
        /// How long
        #[arg(long)]
        seconds: f64,
        /// An input device, as `sordino devices` names it
        #[arg(long)]
        device: Option<String>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// List input devices
    Devices,
    /// Make an age identity that opens samples; print its recipient
    Keygen {
        /// The file to write, readable by its owner only
        #[arg(long)]
        out: PathBuf,
    },
    /// Anonymize and seal one recording
    Seal {
        /// The recording, in a format that `anonymize` reads; `-` is standard input
        file: PathBuf,
        /// Who may open it
        #[arg(long, required = true, num_args = 1..)]
        recipient: Vec<Recipient>,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Open a sealed sample: manifest.json and audio.wav
    Open {
        /// The sealed sample
        file: PathBuf,
        /// The age identity
        #[arg(long)]
        identity: PathBuf,
        /// The folder to write to
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// The organization's key and its signed sampling plans
    #[command(subcommand)]
    Plan(PlanCommand),
    /// What people agree to, and the receipts of it
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// A headless device whose state lies in DIR
    Device {
        /// The state folder
        dir: PathBuf,
        #[command(subcommand)]
        command: DeviceCommand,
    },
    /// Pull and decrypt the samples granted for a purpose; remove local copies of withdrawn ones
    Pull(PullArguments),
    /// The collector's access log: who was handed which sample
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Run a recognizer over a pulled dataset, score it, and tell whether a change made it worse
    #[command(alias = "recognise-eval")]
    Evaluate(EvaluateArgs),
    /// List the notes or exercises that the app's recognizer gets wrong most, with intervals
    Query(QueryArgs),
    /// Write report.html for a pulled dataset
    Report(ReportArgs),
    /// Write the papers that an app's owner needs: impact assessment, store answers, notices
    Papers {
        /// The folder to write to
        #[arg(long)]
        out: PathBuf,
        /// The signed plan whose figures stand in them, instead of the example's
        #[arg(long)]
        plan: Option<PathBuf>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
}

#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Make the organization's Ed25519 key; print its public half
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
    /// Sign that a plan is the newest one today, for devices that its `fresh_days` would stop otherwise
    Refresh {
        /// The signed plan in force
        plan: PathBuf,
        /// The organization's key, by which the plan was signed
        #[arg(long)]
        key: PathBuf,
        /// The statement to write [default: the plan's name with the extension `freshness.json`]
        #[arg(long, short)]
        out: Option<PathBuf>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Say what a signed plan asks for
    Show {
        /// The signed plan
        plan: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum ConsentCommand {
    /// Print the notice that comes with the SDK, just as a person agrees to it
    // Its `--version` is the notice's.
    #[command(disable_version_flag = true)]
    Notice {
        #[command(flatten)]
        shown: NoticeArguments,
        /// The organization's count of its texts
        #[arg(long, default_value_t = 1)]
        version: u32,
        /// How many days a yes lasts
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// How many days a purpose's samples are kept; those of a purpose that is not named stay until the person says no
        #[arg(long, value_name = "PURPOSE=DAYS", value_parser = retention)]
        retention_days: Vec<(Purpose, u32)>,
    },
    /// Verify a receipt, offline, and say who agreed to what
    Verify {
        /// The receipt, as `device DIR consent` prints it
        receipt: PathBuf,
        /// Check too that this file is the very text that was agreed to
        #[arg(long)]
        notice: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// Make the device, or put a newer plan into force on it
    Init {
        /// The signed plan
        #[arg(long)]
        plan: PathBuf,
        /// The organization's public key
        #[arg(long)]
        plan_key: PublicKey,
        /// The collector's URL
        #[arg(long)]
        collector: Endpoint,
    },
    /// Say where consent, the queue and deletions stand
    Status,
    /// Record a person's yes to the purposes named; print the receipt, or to a person what was agreed to
    Consent {
        /// What the person says yes to
        #[arg(long, required = true, num_args = 1..)]
        purpose: Vec<Purpose>,
        /// Whether a guardian must say yes too; `unknown` counts as `child`
        #[arg(long, value_name = "adult|child|unknown", value_parser = parse_name::<AgeBand>, default_value = "unknown")]
        age_band: AgeBand,
        /// How the app made sure that the guardian said yes
        #[arg(long, value_parser = parse_name::<GuardianMethod>)]
        guardian_method: Option<GuardianMethod>,
        #[command(flatten)]
        shown: NoticeArguments,
        /// What the app could show for it later, at least 16 unguessable bytes; its hash is kept
        #[arg(long, value_name = "FILE", requires = "guardian_method")]
        guardian_evidence: Option<PathBuf>,
        /// Write the receipt to this file, and print what was agreed to instead; so does a terminal
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Take the yes back, for one purpose or for all
    Withdraw {
        /// Only this purpose
        #[arg(long)]
        purpose: Option<Purpose>,
    },
    /// Offer one recording, as an app does that marks a moment
    Offer {
        /// The recording, in a format that `anonymize` reads; `-` is standard input
        file: PathBuf,
        /// What the app knows of it: expected and recognized notes, a tag
        #[arg(long)]
        annotation: Option<PathBuf>,
        /// Where the plan requires review: write what would be sent to this WAV file, to be heard first
        #[arg(long, value_name = "FILE")]
        preview: Option<PathBuf>,
        /// Where the plan requires review: say yes for the person, and ask nobody
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Play recordings to the device as a microphone would, and let its plan choose the moments
    Listen {
        /// The recordings, one after another
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Mark the end of each recording with its annotation, NAME.json beside NAME.wav
        #[arg(long)]
        mark: bool,
        /// At the speed of the clock rather than as fast as it goes
        #[arg(long)]
        real_time: bool,
    },
    /// Send what is due: registrations, samples, deletions
    Upload(NetworkArguments),
    /// List every sample and what became of it
    Samples,
    /// Delete one sample or all, here at once and at the collector with the next upload
    #[command(group(ArgGroup::new("which").required(true).args(["sample", "all"])))]
    Delete {
        /// The sample, as `samples` names it
        sample: Option<Id>,
        /// Every sample there is
        #[arg(long)]
        all: bool,
    },
    /// Note that the child who said yes has come of age: nothing is sampled until they are asked anew
    CameOfAge,
    /// Write the person's records, receipts, notices and list of samples to a zip file
    Export {
        /// The zip file to write, readable by its owner only
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Forget the person, in a damaged state too; the next upload asks back what was sent
    Reset,
    /// Ask the collector who opened a sample
    Accesses {
        /// The sample
        sample: Id,
        #[command(flatten)]
        network: NetworkArguments,
    },
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Fetch the log, or what came since; the log that is there must be the beginning of it
    Fetch {
        /// The collector's URL
        #[arg(long)]
        collector: Endpoint,
        /// The file with the token
        #[arg(long)]
        token_file: PathBuf,
        /// The log, an entry a line
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        network: NetworkArguments,
    },
    /// Find any entry that was changed, removed, put in or moved
    Verify {
        /// The log
        log: PathBuf,
        /// A head that was kept, of now or earlier; what is missing up to it is found too
        #[arg(long, value_name = "ENTRIES:HASH", conflicts_with = "collector")]
        head: Option<AuditHead>,
        /// A root that was kept, as `device DIR accesses` prints it: check that the first ENTRIES entries have it
        #[arg(long, value_name = "ENTRIES:ROOT")]
        root: Option<AuditRoot>,
        /// Hold the log against the head that this collector publishes now
        #[arg(long, value_name = "URL")]
        collector: Option<Endpoint>,
        #[command(flatten)]
        network: NetworkArguments,
    },
}

/// How the bundled notice is shown.
#[derive(Args)]
pub(crate) struct NoticeArguments {
    /// The language of the notice, a BCP 47 tag
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub(crate) language: String,
    /// What the app is called
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// Where a person's questions go
    #[arg(long)]
    pub(crate) contact: Option<String>,
}

/// How a collector is reached, for every command that asks one.
#[derive(Args, Default)]
pub(crate) struct NetworkArguments {
    /// Trust the root certificates in this PEM file, and no others [default: $SSL_CERT_FILE, or Mozilla's]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl NetworkArguments {
    /// With the proxies that the environment names.
    pub(crate) fn settings(&self) -> Result<NetworkSettings, CliError> {
        match &self.ca_file {
            Some(path) => NetworkSettings::from_env_and_ca_file(path, "--ca-file"),
            None => NetworkSettings::from_env(),
        }
        .map_err(CliError::message)
    }
}

#[derive(Args)]
pub(crate) struct PullArguments {
    /// The collector's URL
    #[arg(long)]
    pub(crate) collector: Endpoint,
    /// The file with the token
    #[arg(long)]
    pub(crate) token_file: PathBuf,
    /// The age identity
    #[arg(long)]
    pub(crate) identity: PathBuf,
    /// The dataset's folder
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Only this purpose; otherwise every purpose that the token is good for
    #[arg(long)]
    pub(crate) purpose: Option<Purpose>,
    /// How the dataset is laid out
    #[arg(long, value_enum, default_value = "audiofolder")]
    pub(crate) format: FormatArgument,
    /// How many samples are fetched at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,
    /// Fetch samples again that could not be read before; done anyway when the identity or the version of sordino changes
    #[arg(long)]
    pub(crate) retry_unreadable: bool,
    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FormatArgument {
    /// Hugging Face AudioFolder: metadata.jsonl and audio/ID.flac
    #[value(name = "audiofolder")]
    AudioFolder,
    /// WebDataset: shards of ID.flac and ID.json
    #[value(name = "webdataset")]
    WebDataset,
    /// A folder a sample: ID/manifest.json and ID/audio.flac
    Bundle,
}

/// `PURPOSE=DAYS`.
fn retention(text: &str) -> Result<(Purpose, u32), String> {
    let (purpose, days) = text.split_once('=').ok_or("it is to be PURPOSE=DAYS")?;
    let purpose = purpose
        .parse::<Purpose>()
        .map_err(|error| error.to_string())?;
    let days = days
        .parse()
        .map_err(|_| format!("`{days}` is no number of days"))?;
    Ok((purpose, days))
}

/// Reads a value by the name that it has in files, so that the two never differ.
fn parse_name<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}
