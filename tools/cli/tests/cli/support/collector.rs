//! The collector's program, as a process of its own, and addresses for it.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::CommandResult;

/// A collector that runs. Dropped, it is killed; and it ends with this process, however that ends.
pub(crate) struct Collector(Child);

impl Collector {
    /// Starts one whose data are in the folder `data`. Once this returns, it answers at `address`.
    #[track_caller]
    pub(crate) fn start(data: &Path, address: SocketAddr, plan: &Path) -> Self {
        Self::start_with(data, address, plan, &[])
    }

    /// Like [`Self::start`], with https if the flags name a certificate.
    #[track_caller]
    pub(crate) fn start_with(
        data: &Path,
        address: SocketAddr,
        plan: &Path,
        flags: &[&OsStr],
    ) -> Self {
        let scheme = if flags.is_empty() { "http" } else { "https" };
        let ready = format!("listening on {scheme}://{address}\n");
        let started = Instant::now();
        loop {
            let (collector, line) = Self::try_start(data, address, plan, flags);
            if line == ready {
                return collector;
            }
            // A process that another test starts has, for an instant, the listener that was just closed here.
            let complaint = fs::read_to_string(log_of(data)).unwrap();
            let is_taken = complaint.contains("Address already in use");
            assert!(
                is_taken && started.elapsed() < Duration::from_secs(60),
                "{line}{complaint}"
            );
        }
    }

    /// The collector and its only line of output.
    fn try_start(
        data: &Path,
        address: SocketAddr,
        plan: &Path,
        flags: &[&OsStr],
    ) -> (Self, String) {
        let mut process = Command::new(collector_program())
            .args(["serve", "--exit-on-stdin-close", "--listen"])
            .arg(address.to_string())
            .arg("--data")
            .arg(data)
            .arg("--plan")
            .arg(plan)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log_of(data)).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.as_mut().unwrap());
        stdout.read_line(&mut line).unwrap();
        (Self(process), line)
    }

    /// Lets requests under way end, and closes the database.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have exited before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the collector's command with these words on the data in `data`, which a running one may have. What it prints.
#[track_caller]
pub(crate) fn administer(data: &Path, words: &[&str]) -> Value {
    let mut command = Command::new(collector_program());
    command.args(words).arg("--json").arg("--data").arg(data);
    CommandResult::run(&mut command, &words.join(" "))
        .ok()
        .document()
}

/// The collector's program, which `cargo test` of the workspace builds into the folder of `sordino`.
#[track_caller]
pub(crate) fn collector_program() -> PathBuf {
    let own = Path::new(env!("CARGO_BIN_EXE_sordino"));
    let program = own.with_file_name(format!("sordino-collector{}", env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "{} is not there; build it with cargo xtask build, or test without -p",
        program.display()
    );
    program
}

/// An address of this machine that nobody else gets as long as this lives, while nobody listens there either.
pub(crate) struct Address {
    pub(crate) address: SocketAddr,
    /// Claims the port. Ports of UDP are others than those of TCP, so the same number can be held without being in the
    /// the way of other listeners.
    _claim: UdpSocket,
}

impl Address {
    pub(crate) fn claim() -> Self {
        /// Ports of which no system gives one by itself, to a listener on port 0 or to a connection.
        const FIRST: u16 = 20_000;
        const COUNT: u16 = 12_000;
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Test programs that run side by side begin apart, so that they seldom meet a port that is claimed.
        let own = (std::process::id() % u32::from(COUNT)) as u16;
        let claimed = (0..COUNT).find_map(|_| {
            let place = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(own);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + place % COUNT));
            let claim = UdpSocket::bind(address).ok()?;
            // Taken by somebody who knows nothing of claims?
            TcpListener::bind(address).ok()?;
            Some((address, claim))
        });
        let (address, _claim) = claimed.expect("a free port");
        Self { address, _claim }
    }
}
