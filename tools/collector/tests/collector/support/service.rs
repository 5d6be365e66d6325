//! The program as a child process.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use crate::database::database_of;

/// The service as a child process, which is killed on drop.
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) line: String,
}

impl Service {
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", data, arguments)
    }

    pub(crate) fn start_on(listen: &str, data: &Path, arguments: &[&str]) -> Self {
        Self::start_with(command(), listen, data, arguments)
    }

    /// Starts it with the environment of `command`.
    pub(crate) fn start_with(
        mut command: Command,
        listen: &str,
        data: &Path,
        arguments: &[&str],
    ) -> Self {
        let own = arguments.contains(&"--database");
        let database = if own { None } else { database_arguments(data) };
        let mut child = command
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            .args(arguments)
            .args(database.into_iter().flatten())
            .stdout(Stdio::piped())
            .stderr(
                std::fs::File::options()
                    .create(true)
                    .append(true)
                    .open(data.join("log"))
                    .unwrap(),
            )
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self { child, line }
    }

    /// Stops it with SIGTERM and waits for its exit.
    pub(crate) fn stop(&mut self) {
        self.signal("-TERM");
        assert!(self.child.wait().unwrap().success());
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        let url = self.line.trim().strip_prefix("listening on ");
        let (_, address) = url
            .and_then(|url| url.split_once("://"))
            .expect("a ready line");
        address.parse().unwrap()
    }

    /// Sends a signal by its name, for example `-TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sordino-collector"))
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    let data = arguments.iter().position(|argument| *argument == "--data");
    let data = data.map(|place| Path::new(arguments[place + 1]));
    let mut command = command();
    command.args(arguments);
    command.args(data.and_then(database_arguments).into_iter().flatten());
    command.output().unwrap()
}

fn database_arguments(data: &Path) -> Option<[String; 2]> {
    Some(["--database".to_owned(), database_of(data)?])
}
