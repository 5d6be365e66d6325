use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use super::{PATIENCE, Process, command, free_port, program, random, secret, wanted};

const USER: &str = "sordino";

/// A PostgreSQL server with its own cluster.
pub(crate) struct Postgres {
    process: Process,
    /// The folder of its programs, which is not in the PATH on Debian.
    programs: PathBuf,
    port: u16,
    password: String,
    /// `fsync`: `on` or `off`.
    sync: &'static str,
}

impl Postgres {
    /// Starts a server with durable commits, as in production.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("on")
    }

    /// Starts a server without fsync, for tests that do not simulate a power failure.
    pub(crate) fn start_unsynced() -> Option<Self> {
        Self::start_with("off")
    }

    fn start_with(sync: &'static str) -> Option<Self> {
        let programs = wanted("PostgreSQL", programs)?;
        let mut postgres = Self {
            process: Process::new("sordino-postgres-"),
            programs,
            port: free_port(),
            password: secret(),
            sync,
        };
        postgres.make_cluster();
        postgres.start_again();
        Some(postgres)
    }

    /// The URL of the default database.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Creates an empty database, so that tests can share a server.
    pub(crate) fn database(&self) -> String {
        let name = format!("test_{:016x}", random());
        self.sql(&format!("CREATE DATABASE {name}"));
        self.url_of(&name)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// User and password.
    pub(crate) fn credentials(&self) -> (&str, &str) {
        (USER, &self.password)
    }

    /// The output of `psql` for a statement in [`Self::url`], one row per line.
    pub(crate) fn sql(&self, statement: &str) -> String {
        self.sql_in(&self.url(), statement)
    }

    /// The output of `psql` for a statement in the database of a URL.
    pub(crate) fn sql_in(&self, url: &str, statement: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url])
            .args(["-c", statement])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statement}: {complaint}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The folder of its data and its `log`.
    pub(crate) fn folder(&self) -> &Path {
        &self.process.folder
    }

    /// Stops it and disconnects its clients.
    pub(crate) fn stop(&mut self) {
        self.process.signal("INT");
    }

    /// Sends SIGKILL to the server and its backends.
    pub(crate) fn kill(&mut self) {
        let Some(child) = &self.process.child else {
            return;
        };
        let (server, children) = (child.id(), children(child.id()));
        let kill = ["-s".to_owned(), "KILL".to_owned(), server.to_string()];
        // Some may have exited already.
        let _ = Command::new("kill").args(kill).args(children).output();
        self.process.kill();
    }

    /// Restarts it with the same port and data.
    pub(crate) fn start_again(&mut self) {
        let started = Instant::now();
        // A killed server keeps its shared memory until its last child has exited.
        while let Err(log) = self.try_start() {
            assert!(started.elapsed() < PATIENCE, "PostgreSQL: {log}");
        }
    }

    fn try_start(&mut self) -> Result<(), String> {
        let mut server = command(&self.programs.join("postgres"));
        server.arg("-D").arg(self.process.folder.join("data"));
        let sockets = format!("unix_socket_directories={}", self.process.folder.display());
        for setting in [
            &format!("port={}", self.port),
            &format!("fsync={}", self.sync),
            &sockets,
            "listen_addresses=127.0.0.1",
            "max_connections=300",
        ] {
            server.args(["-c", setting]);
        }
        self.process.start(server);
        let probe = self.programs.join("pg_isready");
        let port = self.port.to_string();
        self.process.wait_until(|| {
            let mut probe = Command::new(&probe);
            probe.args(["-q", "-h", "127.0.0.1", "-p", &port]);
            probe.status().unwrap().success()
        })
    }

    fn make_cluster(&self) {
        let folder = &self.process.folder;
        let password = folder.join("password");
        fs::write(&password, &self.password).unwrap();
        let output = command(&self.programs.join("initdb"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8"])
            // Only a power failure, which is not tested, could lose unsynced data.
            .args(["--no-locale", "--no-sync"])
            .arg("--pwfile")
            .arg(&password)
            .current_dir(folder)
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "initdb: {complaint}");
    }

    fn url_of(&self, database: &str) -> String {
        let Self { port, password, .. } = self;
        format!("postgres://{USER}:{password}@127.0.0.1:{port}/{database}")
    }
}

/// The folder of the newest installed PostgreSQL.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.ok()?.path();
            let number = version.file_name()?.to_str()?.parse().ok()?;
            Some((number, version.join("bin")))
        })
        .collect();
    found.sort();
    let folders: Vec<PathBuf> = found.into_iter().rev().map(|(_, path)| path).collect();
    Some(program("initdb", &folders)?.parent()?.to_owned())
}

/// The child processes of a process. Each PostgreSQL backend has its own process group.
fn children(process: u32) -> Vec<String> {
    let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace().map(str::to_owned).collect()
}
