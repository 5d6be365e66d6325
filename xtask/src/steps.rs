//! Named steps, each with its output in a file and its time in one table. A lane is a list of steps. Lanes run in parallel,
//! since many steps wait half of the time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{self, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::{consts::TERM_SIGNALS, iterator::Signals};

use crate::process::{empty_folder, is_ci, target};

pub struct Steps {
    /// The folder for the output of each step.
    folder: PathBuf,
    began: Instant,
    env: Mutex<BTreeMap<String, String>>,
    /// Also held while a step prints, so that lanes do not mix their output.
    table: Mutex<Vec<Row>>,
    skipped: Mutex<BTreeSet<String>>,
    /// The process groups of running steps.
    running: Arc<Mutex<BTreeSet<i32>>>,
}

struct Row {
    name: String,
    seconds: u64,
    passed: bool,
}

impl Steps {
    /// Begins an empty table. All steps end with this process, also if a signal ends it.
    pub fn begin() -> Result<Self> {
        let folder = target().join("steps");
        empty_folder(&folder)?;
        let running = Arc::default();
        end_steps_on_signals(Arc::clone(&running))?;
        Ok(Self {
            folder,
            began: Instant::now(),
            env: Mutex::default(),
            table: Mutex::default(),
            skipped: Mutex::default(),
            running,
        })
    }

    /// Sets an environment variable of all steps that start from now on.
    pub fn set_env(&self, name: &str, value: impl Into<String>) {
        lock(&self.env).insert(name.to_owned(), value.into());
    }

    /// Runs `command`, and prints its output when it ends.
    pub fn step(&self, name: &str, command: &mut Command) -> Result<()> {
        println!("   {name} …");
        let began = Instant::now();
        let log = self.folder.join(format!("{}.log", file_name(name)));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.envs(&*lock(&self.env));
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0);
        let passed = match command.spawn() {
            Ok(mut child) => {
                let group = child.id().cast_signed();
                lock(&self.running).insert(group);
                let status = child.wait();
                lock(&self.running).remove(&group);
                status?.success()
            }
            Err(error) => {
                fs::write(&log, format!("cannot run it: {error}\n"))?;
                false
            }
        };
        let row = Row {
            name: name.to_owned(),
            seconds: began.elapsed().as_secs(),
            passed,
        };
        let mut table = lock(&self.table);
        let printed = fs::read(&log)?;
        let printed = String::from_utf8_lossy(&printed);
        print!(
            "\n== {name}: {} after {} s\n{printed}",
            row.outcome(),
            row.seconds
        );
        std::io::stdout().flush()?;
        for line in printed.lines() {
            if let Some(skipped) = line.strip_prefix("skipped: ") {
                lock(&self.skipped).insert(skipped.to_owned());
            }
        }
        table.push(row);
        if !passed {
            bail!("the step \"{name}\" failed");
        }
        Ok(())
    }

    /// Records that a suite cannot run here. With CI=true, where everything is installed, it fails.
    pub fn skip(&self, suite: &str, lacks: &str) -> Result<()> {
        println!("skipped: {suite} lacks {lacks}");
        lock(&self.skipped).insert(format!("{suite} lacks {lacks}"));
        if is_ci() {
            bail!("{suite} is skipped, since it lacks {lacks}");
        }
        Ok(())
    }

    /// Runs all lanes in parallel and waits for all of them; fails if one fails.
    pub fn lanes(&self, lanes: &[fn(&Self) -> Result<()>]) -> Result<()> {
        thread::scope(|scope| {
            let running: Vec<_> = lanes
                .iter()
                .map(|lane| scope.spawn(move || lane(self)))
                .collect();
            let mut outcome = Ok(());
            for lane in running {
                let ended = lane.join().unwrap_or_else(|_| bail!("a lane panicked"));
                outcome = outcome.and(ended);
            }
            outcome
        })
    }

    /// Prints the table.
    pub fn end(&self) {
        let skipped = lock(&self.skipped);
        if !skipped.is_empty() {
            println!("\nSkipped suites and tests, with the missing tool:");
        }
        for line in skipped.iter() {
            println!("  {line}");
        }
        println!("\n{:<44} {:>8}", "step", "seconds");
        for row in lock(&self.table).iter() {
            let note = if row.passed { "" } else { "  failed" };
            println!("{:<44} {:>8}{note}", row.name, row.seconds);
        }
        let total = "total (lanes run in parallel)";
        println!("{total:<44} {:>8}", self.began.elapsed().as_secs());
    }
}

impl Row {
    fn outcome(&self) -> &'static str {
        if self.passed { "passed" } else { "failed" }
    }
}

/// Otherwise the steps would outlive this process, and keep files and ports open.
fn end_steps_on_signals(running: Arc<Mutex<BTreeSet<i32>>>) -> Result<()> {
    let mut signals = Signals::new(TERM_SIGNALS).context("cannot handle signals")?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            for group in lock(&running).iter().copied().filter_map(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::TERM);
            }
            process::exit(128 + signal);
        }
    });
    Ok(())
}

fn file_name(step: &str) -> String {
    step.chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char
            } else {
                '-'
            }
        })
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
