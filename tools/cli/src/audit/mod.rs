//! `sordino audit`: fetches and verifies the collector's access log.

mod chain;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::json;
use sordino::upload::{AuditHead, AuditRoot, Endpoint, NetworkSettings};

use crate::{
    api::Api,
    command_output::CommandOutput,
    error::CliError,
    files,
    network::NetworkArgs,
    output_files::{OutputFiles, Overwrite},
};
use chain::Log;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Fetch the log or its new entries; an existing log must be the beginning of it
    Fetch {
        /// The collector's URL
        #[arg(long)]
        collector: Endpoint,
        /// The file with the token
        #[arg(long)]
        token_file: PathBuf,
        /// The log, one entry per line
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        network: NetworkArgs,
    },
    /// Verify the log: detect entries that were changed, removed, inserted or moved
    Verify {
        /// The log
        log: PathBuf,
        /// A head from now or earlier, to detect entries missing up to it
        #[arg(long, value_name = "ENTRIES:HASH", conflicts_with = "collector")]
        head: Option<AuditHead>,
        /// A root as `device DIR accesses` prints it: check that the first ENTRIES entries have it
        #[arg(long, value_name = "ENTRIES:ROOT")]
        root: Option<AuditRoot>,
        /// Compare the log with the head that this collector publishes now
        #[arg(long, value_name = "URL")]
        collector: Option<Endpoint>,
        #[command(flatten)]
        network: NetworkArgs,
    },
}

pub(crate) fn run(command: AuditCommand) -> Result<CommandOutput, CliError> {
    match command {
        AuditCommand::Fetch {
            collector,
            token_file,
            out,
            network,
        } => fetch(&collector, &network.settings()?, &token_file, &out),
        AuditCommand::Verify {
            log,
            head,
            root,
            collector,
            network,
        } => {
            let against = match (head, collector) {
                (Some(head), _) => Reference::Head(head),
                (None, Some(collector)) => Reference::Collector(collector, network.settings()?),
                (None, None) => Reference::Nothing,
            };
            verify(&log, &against, root.as_ref())
        }
    }
}

/// Extends the log in `out` up to the collector's head. The existing log is checked first, and the
/// collector's log must continue it; otherwise the file is not changed.
fn fetch(
    collector: &Endpoint,
    network: &NetworkSettings,
    token_file: &Path,
    out: &Path,
) -> Result<CommandOutput, CliError> {
    let api = Api::new(collector, network, token_file, 1)?;
    let output = OutputFiles::new([token_file], Overwrite::default())
        .private(out)?
        // The log is read first, so that another file is rejected.
        .replace_if(|_| true);
    let kept = read_if_there(out)?;
    let is_new = kept.is_none();
    let mut text = kept.unwrap_or_default();
    let mut log = Log::read(&text).map_err(CliError::content(out))?;
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    let before = log.head();
    let refuse = |flaw: &dyn std::error::Error| match before.entries {
        0 => CliError::Message(format!("the log of the collector at {collector}: {flaw}")),
        _ => CliError::content(out)(format!(
            "the log of the collector at {collector} does not continue it: {flaw}"
        )),
    };
    let head = api.audit_head()?;
    head.continues(&before).map_err(|error| refuse(&error))?;
    loop {
        // Requested even if nothing can be new, so that an invalid token is reported.
        let entries = api.audit_log(log.head().entries)?;
        let is_last = entries.is_empty();
        for entry in entries {
            let line = chain::canonical(&entry).unwrap_or_default();
            log.append(&line).map_err(|flaw| refuse(&flaw))?;
            text.extend(line);
            text.push(b'\n');
        }
        if is_last || log.head().entries >= head.entries {
            break;
        }
    }
    log.holds(&head).map_err(|flaw| refuse(&flaw))?;
    let fetched = log.head().entries - before.entries;
    if fetched > 0 || is_new {
        output.write(&text)?;
    }
    let AuditHead { entries, hash, .. } = log.head();
    CommandOutput::new(
        format!(
            "{} in {}, {fetched} of them new\nhead {}",
            count(entries),
            out.display(),
            log.head()
        ),
        json!({ "entries": entries, "hash": hash, "fetched": fetched }),
    )
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, CliError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::file("read", path)(error)),
    }
}

/// The head or the earlier log that a log is compared with.
enum Reference {
    Nothing,
    /// A stored head, from now or earlier.
    Head(AuditHead),
    /// The head that the collector publishes now.
    Collector(Endpoint, NetworkSettings),
}

fn verify(
    path: &Path,
    against: &Reference,
    root: Option<&AuditRoot>,
) -> Result<CommandOutput, CliError> {
    let log = Log::read(files::read_text(path)?.as_bytes()).map_err(CliError::content(path))?;
    let head = log.head();
    if let Some(root) = root {
        log.has_root(root).map_err(CliError::content(path))?;
    }
    let note = match (against, root) {
        (Reference::Nothing, None) if head.entries == 0 => {
            return Err(CliError::content(path)(
                "it has no entries; compare it with a head or a root by --head, --root or --collector",
            ));
        }
        (Reference::Nothing, Some(root)) => format!(
            "its first {} have the root that was given; only a later head shows whether entries were cut off after \
             entry {}",
            count(root.entries),
            head.entries
        ),
        (Reference::Nothing, None) => {
            "without a head to compare it with (--head, --collector), entries cut off at its end \
                             or a rewritten log cannot be detected"
                .to_owned()
        }
        (Reference::Head(kept), _) => {
            log.holds(kept).map_err(CliError::content(path))?;
            match kept.entries == head.entries {
                true => "it ends at the head that was given".to_owned(),
                false => format!(
                    "it holds the head that was given, at entry {}; only a later head shows \
                     whether entries were cut off after entry {}",
                    kept.entries, head.entries
                ),
            }
        }
        (Reference::Collector(collector, network), _) => {
            let published = Api::unauthenticated(collector, network).audit_head()?;
            published.continues(&head).map_err(|error| {
                CliError::content(path)(format!(
                    "compared with the collector at {collector}: {error}"
                ))
            })?;
            log.holds(&published).map_err(CliError::content(path))?;
            format!("it ends at the head of the collector at {collector}")
        }
    };
    let AuditHead { entries, hash, .. } = head;
    let root = log.root();
    CommandOutput::new(
        format!(
            "{}: all as written, in order and without a gap; {note}\nroot {root}\nhead {head}",
            count(entries)
        ),
        json!({ "entries": entries, "hash": hash, "root": root.root }),
    )
}

fn count(entries: u64) -> String {
    match entries {
        1 => "1 entry".to_owned(),
        _ => format!("{entries} entries"),
    }
}
