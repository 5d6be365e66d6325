use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
};

use super::{Postgres, Process, command, free_port, program, wanted};

/// pgbouncer in front of a PostgreSQL server.
pub(crate) struct Pgbouncer {
    process: Process,
    port: u16,
}

impl Pgbouncer {
    /// Starts it with a pool in `mode`: `session` or `transaction`.
    pub(crate) fn start(postgres: &Postgres, mode: &str) -> Option<Self> {
        let folders = [PathBuf::from("/usr/sbin")];
        let program = wanted("pgbouncer", || program("pgbouncer", &folders))?;
        let mut process = Process::new("sordino-pgbouncer-");
        let port = free_port();
        let (user, password) = postgres.credentials();
        let ini = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = plain\nauth_file = users\npool_mode = {mode}\ndefault_pool_size = 30\n\
             ignore_startup_parameters = extra_float_digits\n",
            postgres.port(),
        );
        write_open(&process.folder.join("pgbouncer.ini"), &ini);
        write_open(
            &process.folder.join("users"),
            &format!("\"{user}\" \"{password}\"\n"),
        );
        let mut server = command(&program);
        server.arg("pgbouncer.ini");
        process.start(server);
        let is_ready = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        if let Err(log) = process.wait_until(is_ready) {
            panic!("pgbouncer: {log}");
        }
        Some(Self { process, port })
    }

    /// The URL of the database `url` through the pooler.
    pub(crate) fn url(&self, url: &str, postgres: &Postgres) -> String {
        url.replace(
            &format!(":{}/", postgres.port()),
            &format!(":{}/", self.port),
        )
    }
}

/// Readable by the service's user.
fn write_open(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}
