//! The collector of the demo: the `sordino-collector` program next to this one. It exits with the demo, even if the
//! demo is killed.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use sordino::Purpose;

use crate::error::CliError;

/// The command that builds both programs into one folder.
const BUILD: &str = "cargo build --release -p sordino-cli -p sordino-collector";

/// A running collector. It is shut down on drop.
pub(super) struct Collector {
    process: Child,
    program: PathBuf,
    data: PathBuf,
    address: SocketAddr,
}

impl Collector {
    /// Starts a collector with its data in the folder `data`, on a free port of this machine.
    pub(super) fn start(data: &Path, plan: &Path) -> Result<Self, CliError> {
        let program = program_beside(&env::current_exe().map_err(CliError::message)?)?;
        let log = data.with_extension("log");
        let stderr = File::create(&log).map_err(CliError::file("write", &log))?;
        let process = Command::new(&program)
            .args(["serve", "--listen", "127.0.0.1:0", "--exit-on-stdin-close"])
            .arg("--data")
            .arg(data)
            .arg("--plan")
            .arg(plan)
            // The system closes our end of the pipe when we exit or are killed, and the collector then exits.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(CliError::file("run", &program))?;
        let mut collector = Self {
            process,
            program,
            data: data.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let line = collector.first_line().map_err(CliError::message)?;
        let address = line.trim_end().strip_prefix("listening on http://");
        match address.map(str::parse) {
            Some(Ok(address)) => collector.address = address,
            _ => {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(collector.failed(&said));
            }
        }
        Ok(collector)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Creates a token for all purposes.
    pub(super) fn token(&self) -> Result<String, CliError> {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(&self.program)
            .args(["token", "create", "--json", "--name", "demo", "--data"])
            .arg(&self.data)
            .arg("--purpose")
            .args(Purpose::ALL.map(|purpose| purpose.to_string()))
            .stdin(Stdio::null())
            .output()
            .map_err(CliError::file("run", &self.program))?;
        let made: Option<serde_json::Value> = serde_json::from_slice(&stdout).ok();
        match made.as_ref().and_then(|made| made["token"].as_str()) {
            Some(token) if status.success() => Ok(token.to_owned()),
            _ => Err(self.failed(&String::from_utf8_lossy(&stderr))),
        }
    }

    /// The line that it prints when it is ready; empty if it exits before.
    fn first_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if let Some(stdout) = &mut self.process.stdout {
            // One line is all that the collector prints.
            BufReader::new(stdout).read_line(&mut line)?;
        }
        Ok(line)
    }

    /// The error in the output `said` of a collector that did not start.
    fn failed(&self, said: &str) -> CliError {
        let error = said.lines().find_map(|line| line.strip_prefix("error: "));
        let error = error.unwrap_or("it exited without a message");
        CliError::Message(format!("{}: {error}", self.program.display()))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Requests in progress complete first. If waiting fails, nothing else can be done.
        let _ = self.process.wait();
    }
}

/// The collector's program in the folder of the program `own`, where a build puts both.
fn program_beside(own: &Path) -> Result<PathBuf, CliError> {
    let name = format!("sordino-collector{}", env::consts::EXE_SUFFIX);
    let program = own.with_file_name(&name);
    match program.is_file() {
        true => Ok(program),
        false => {
            let folder = own.parent().unwrap_or(own).display();
            Err(CliError::Message(format!(
                "the demo needs `{name}`, which is not in {folder}; build it there with `{BUILD}`"
            )))
        }
    }
}
