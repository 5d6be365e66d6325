//! `sordino demo`: the whole pipeline on real recordings. Four devices play them; what they send is
//! counted by a proxy, pulled, and deleted after a withdrawal.

mod checks;
mod collector;
mod dataset;
mod environment;
mod proxy;
mod report;
mod scenarios;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde_json::json;

use crate::{
    command_output::CommandOutput,
    commands::read_annotation,
    error::CliError,
    files,
    output_files::{OutputFiles, Overwrite},
    table::Columns,
};
use checks::Check;
use environment::Environment;
use scenarios::{Device, Recording};

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// The folder to write report.html and dataset/ to
    #[arg(long, default_value = "demo-out")]
    out: PathBuf,
    /// The folder with the recordings
    #[arg(long, default_value = "samples/audio")]
    recordings: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(crate) fn run(args: &DemoArgs, json: bool) -> Result<CommandOutput, CliError> {
    let DemoArgs {
        out,
        recordings,
        overwrite,
    } = args;
    let overwrite = *overwrite;
    let began = Instant::now();
    let say = |line: &str| {
        if !json {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    };
    let recordings = recordings_in(recordings)?;
    files::make_private_folder(out)?;
    let report = out.join("report.html");
    let inputs = recordings.iter().map(|recording| recording.file.as_path());
    let page_file = OutputFiles::new(inputs, overwrite).private(&report)?;
    let page_file = page_file.replace_if(crate::report::is_report).checked()?;
    let dataset = dataset::make_room(out, overwrite)?;

    say("starting a collector, making a QA key, signing a plan …");
    let setting = Environment::new()?;
    say(&format!(
        "an adult who consented to both purposes: {} recordings …",
        recordings.len()
    ));
    let adult = scenarios::adult(&setting, &recordings)?;
    say("a person without consent: the same recordings …");
    let unasked = scenarios::no_consent(&setting, &recordings)?;
    say("a child, before and after the guardian's consent …");
    let mut child = scenarios::child(&setting, &recordings)?;
    say("a device without a network is killed while sealing, and comes back …");
    let offline = scenarios::offline(&setting, &recordings)?;
    say("the QA engineer pulls …");
    dataset::mark(out, &setting.endpoint()?)?;
    let first = setting.pull(&dataset)?;
    let before_withdrawal = report::views(&dataset)?;
    say("the child withdraws consent; the QA engineer pulls again …");
    scenarios::withdraw_child(&mut child)?;
    let second = setting.pull(&dataset)?;

    let devices = [adult, unasked, child, offline];
    let checks = checks::run(&devices, &first, &second, setting.objects()?, &dataset)?;
    let page = report::DemoReport {
        devices: &devices,
        recordings: &recordings,
        plan: setting.plan(),
        pulled: &before_withdrawal,
        first: &first,
        second: &second,
        checks: &checks,
    };
    page.write(&page_file)?;

    let broken = checks.iter().find(|check| !check.holds);
    let problem = broken.map(|check| format!("the promise does not hold: {}", check.what));
    let text = summary(&devices, &checks, &report, &dataset);
    let seconds = began.elapsed().as_secs_f64();
    let json = json!({
        "report": report,
        "dataset": dataset,
        "seconds": seconds,
        "devices": devices,
        "pulled": first.pulled,
        "removed": second.removed,
        "checks": checks,
    });
    Ok(CommandOutput::new(format!("{text}\n{seconds:.1} s in all"), json)?.with_problem(problem))
}

fn recordings_in(folder: &Path) -> Result<Vec<Recording>, CliError> {
    let listing = fs::read_dir(folder).map_err(CliError::file("read", folder))?;
    let mut files: Vec<PathBuf> = listing
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "wav"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(CliError::content(folder)("there is no WAV file in it"));
    }
    files
        .into_iter()
        .map(|file| {
            Ok(Recording {
                annotation: read_annotation(&file.with_extension("json"))?,
                file,
            })
        })
        .collect()
}

fn summary(devices: &[Device; 4], checks: &[Check], report: &Path, dataset: &Path) -> String {
    let mut table = Columns::new(&[
        "device",
        "recordings",
        "samples",
        "sent",
        "connections",
        "bytes sent",
    ]);
    for device in devices {
        table.push(device.row());
    }
    let mut lines = vec![table.text()];
    lines.push(String::new());
    lines.extend(
        checks
            .iter()
            .map(|check| format!("{} {}", if check.holds { "✓" } else { "✗" }, check.what)),
    );
    lines.push(String::new());
    lines.push(format!("report:  {}", report.display()));
    lines.push(format!("dataset: {}", dataset.display()));
    lines.join("\n")
}
