//! The command line, as docs and scripts know it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use sordino::{
    Id, Purpose,
    consent::{AgeBand, GuardianMethod},
    plan::Recipient,
    signed::PublicKey,
    upload::Endpoint,
};

/// Samples of music practice: anonymous, encrypted, and only with consent.
#[derive(Parser)]
#[command(name = "sordino", version, propagate_version = true)]
pub(crate) struct Arguments {
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
    },
    /// Take voices out of WAV files: NAME.wav and NAME.json each
    Anonymize {
        /// The recordings
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The folder to write to
        #[arg(long)]
        out: PathBuf,
        /// Put silence where something was taken out, so that times stay aligned
        #[arg(long)]
        keep_time: bool,
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
    },
    /// List input devices
    Devices,
    /// Make an age identity that opens samples; print its recipient
    Keygen {
        /// The file to write, readable by its owner only
        #[arg(long)]
        out: PathBuf,
    },
    /// Anonymise and seal one recording
    Seal {
        /// The recording
        file: PathBuf,
        /// Who may open it
        #[arg(long, required = true, num_args = 1..)]
        recipient: Vec<Recipient>,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
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
    },
    /// The organisation's key and its signed sampling plans
    #[command(subcommand)]
    Plan(PlanCommand),
    /// A headless device whose state lies in DIR
    Device {
        /// The state folder
        dir: PathBuf,
        #[command(subcommand)]
        command: DeviceCommand,
    },
    /// Pull and decrypt the samples granted for a purpose; remove local copies of withdrawn ones
    Pull(PullArguments),
    /// Write report.html for a pulled dataset
    Report {
        /// The dataset's folder
        dir: PathBuf,
        /// Where to write it, instead of DIR/report.html
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Make the organisation's Ed25519 key; print its public half
    Keygen {
        /// The file to write, readable by its owner only
        #[arg(long)]
        out: PathBuf,
    },
    /// Sign a plan written in TOML
    Sign {
        /// The plan
        plan: PathBuf,
        /// The organisation's key
        #[arg(long)]
        key: PathBuf,
        /// The signed plan to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Say what a signed plan asks for
    Show {
        /// The signed plan
        plan: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// Make the device, or put a newer plan into force on it
    Init {
        /// The signed plan
        #[arg(long)]
        plan: PathBuf,
        /// The organisation's public key
        #[arg(long)]
        plan_key: PublicKey,
        /// The collector's URL
        #[arg(long)]
        collector: Endpoint,
    },
    /// Say where consent, the queue and deletions stand
    Status,
    /// Record a person's yes to the purposes named; print the receipt
    Consent {
        /// What the person says yes to
        #[arg(long, required = true, num_args = 1..)]
        purpose: Vec<Purpose>,
        /// Whether a guardian must say yes too; `unknown` counts as `child`
        #[arg(long, value_name = "adult|child|unknown", value_parser = by_name::<AgeBand>, default_value = "unknown")]
        age_band: AgeBand,
        /// How the app made sure that the guardian said yes
        #[arg(long, value_parser = by_name::<GuardianMethod>)]
        guardian_method: Option<GuardianMethod>,
    },
    /// Take the yes back, for one purpose or for all
    Withdraw {
        /// Only this purpose
        #[arg(long)]
        purpose: Option<Purpose>,
    },
    /// Offer one recording, as an app does that marks a moment
    Offer {
        /// The recording
        file: PathBuf,
        /// What the app knows of it: expected and recognised notes, a tag
        #[arg(long)]
        annotation: Option<PathBuf>,
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
    Upload,
    /// List every sample and what became of it
    Samples,
    /// Delete one sample, here and at the collector
    Delete {
        /// The sample
        sample: Id,
    },
    /// Ask the collector who opened a sample
    Accesses {
        /// The sample
        sample: Id,
    },
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

/// Reads a value by the name that it has in files, so that the two never differ.
fn by_name<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}
