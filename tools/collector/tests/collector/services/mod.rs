//! Real services: PostgreSQL, pgbouncer, an S3 server, nginx. Each test starts its own, on a free
//! port and in a temporary folder, which are cleaned up however the test ends.
//!
//! `tools/setup.sh services` installs them. If one is missing, `start` prints a message on stderr and
//! returns `None`, and the test is skipped; with `CI=true` it panics. `make test` sets
//! `SORDINO_TEST_SERVICES=no`; `make test-all` runs them.

#![allow(dead_code, reason = "each test and bench wants other parts")]

mod nginx;
pub(crate) mod pgbouncer;
mod postgres;
mod s3;

pub(crate) use nginx::Nginx;
pub(crate) use postgres::Postgres;
pub(crate) use s3::S3;

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
    io::{self, Write as _},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// The startup timeout of a service, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// The process of a service and its folder.
struct Process {
    folder: PathBuf,
    child: Option<Child>,
    /// A shell that outlives this process briefly: when its input closes, it kills the process group
    /// that it received last, and removes the folder.
    guard: Child,
}

impl Process {
    /// Creates a folder owned by the service's user; the process is not started yet.
    fn new(name: &str) -> Self {
        const GUARD: &str = r#"trap '' INT TERM HUP
            group=
            while read -r line; do group=$line; done
            [ -z "$group" ] || kill -KILL -- "-$group" 2>/dev/null
            rm -rf -- "$1" 2>/dev/null || { sleep 1; rm -rf -- "$1"; }"#;
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        if let Some((user, group)) = unprivileged() {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let folder = folder.keep();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let child = None;
        Self {
            folder,
            child,
            guard,
        }
    }

    /// Starts it; its output goes to `log` in its folder.
    fn start(&mut self, mut command: Command) {
        self.kill();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .unwrap();
        command
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = spawn(command);
        self.tell_guard(&child.id().to_string());
        self.child = Some(child);
    }

    /// Waits until `is_ready`.
    ///
    /// # Errors
    /// The end of its log, if it exits or times out.
    fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> Result<(), String> {
        let started = Instant::now();
        while !is_ready() {
            let ended = match &mut self.child {
                Some(child) => child.try_wait().unwrap().is_some(),
                None => true,
            };
            if ended || started.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                return Err(lines[lines.len().saturating_sub(20)..].join("\n"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Sends a signal to the process only, and waits for its exit.
    fn signal(&mut self, name: &str) {
        if let Some(mut child) = self.child.take() {
            let process = child.id().to_string();
            let sent = Command::new("kill").args(["-s", name, &process]).status();
            assert!(sent.unwrap().success(), "no {name} could be sent");
            child.wait().unwrap();
            self.tell_guard("");
        }
    }

    /// Sends SIGKILL to the process and the children in its group.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill")
                .args(["-s", "KILL", "--", &group])
                .status();
            child.wait().unwrap();
            self.tell_guard("");
        }
    }

    fn tell_guard(&mut self, group: &str) {
        let input = self.guard.stdin.as_mut().unwrap();
        writeln!(input, "{group}").unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A command that Linux kills with this process, if it is started by a long-lived thread.
pub(crate) fn tied(path: &Path) -> Command {
    let Some(setpriv) = program("setpriv", &[]) else {
        return Command::new(path);
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(path);
    command
}

/// A command that runs as `nobody` if this process is root, and that Linux kills with this process.
fn command(path: &Path) -> Command {
    let Some(setpriv) = program("setpriv", &[]) else {
        return Command::new(path);
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL"]);
    if let Some((user, group)) = unprivileged() {
        command
            .arg(format!("--reuid={user}"))
            .arg(format!("--regid={group}"))
            .arg("--clear-groups");
    }
    command.arg("--").arg(path);
    command
}

/// For the kernel, the thread that started a process is its parent, and a test's thread exits with the
/// test; so one permanent thread starts all processes.
fn spawn(command: Command) -> Child {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static STARTER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
        let (orders, received) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, started) in received {
                let _ = started.send(command.spawn());
            }
        });
        orders
    });
    let (started, child) = mpsc::channel();
    STARTER.send((command, started)).unwrap();
    child.recv().unwrap().unwrap()
}

/// User and group of `nobody`, if this process is root.
fn unprivileged() -> Option<(u32, u32)> {
    static NOBODY: LazyLock<Option<(u32, u32)>> = LazyLock::new(|| {
        let number = |arguments: &[&str]| {
            let output = Command::new("id").args(arguments).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.trim().parse::<u32>().unwrap()
        };
        let is_root = number(&["-u"]) == 0;
        is_root.then(|| (number(&["-u", "nobody"]), number(&["-g", "nobody"])))
    });
    *NOBODY
}

/// A free port below the ephemeral range, which no other test gets
/// while this process runs, so that it is still free when a service restarts.
pub(crate) fn free_port() -> u16 {
    // An address on which no service listens: binding a port there reserves its number.
    const ELSEWHERE: &str = "127.83.79.82";
    static HELD: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
    loop {
        let port = 20_000 + (random() % 12_000) as u16;
        match TcpListener::bind((ELSEWHERE, port)) {
            Ok(mark) => HELD.lock().unwrap().push(mark),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
            // This address is not available on this system.
            Err(_) => {}
        }
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// A random password or key.
fn secret() -> String {
    format!("{:016x}{:016x}", random(), random())
}

fn program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.iter().cloned().chain(std::env::split_paths(&path));
    let mut found = folders.map(|folder| folder.join(name));
    found.find(|path| path.is_file())
}

/// The program of a service. If it is missing or disabled, that is printed past the test's
/// captured output.
///
/// # Panics
/// If it is missing with `CI=true`, where nothing may be skipped.
fn wanted<T>(service: &str, found: impl FnOnce() -> Option<T>) -> Option<T> {
    let is = |name: &str, value: &str| std::env::var(name).as_deref() == Ok(value);
    let message = if is("SORDINO_TEST_SERVICES", "no") {
        format!("skipped: tests on {service}, which are left to `make test-all`")
    } else if let Some(found) = found() {
        return Some(found);
    } else {
        let message = format!("skipped: {service} is lacking; run `tools/setup.sh services`");
        assert!(!is("CI", "true"), "{message}");
        message
    };
    let _ = writeln!(io::stderr(), "{message}");
    None
}
