use std::{
    ffi::OsStr,
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
};

use super::{Process, command, free_port, program, wanted};

/// nginx with one or more configured servers.
pub(crate) struct Nginx {
    process: Process,
    port: u16,
}

impl Nginx {
    /// Starts it with the configuration that `configure` returns for a port and a folder:
    /// the content of an `http { }` block.
    pub(crate) fn start(configure: impl FnOnce(u16, &Path) -> String) -> Option<Self> {
        Self::start_with(2, &[], configure)
    }

    /// Starts it with a number of workers and environment variables.
    pub(crate) fn start_with(
        workers: usize,
        environment: &[(&str, &OsStr)],
        configure: impl FnOnce(u16, &Path) -> String,
    ) -> Option<Self> {
        let program = wanted("nginx", || program("nginx", &[PathBuf::from("/usr/sbin")]))?;
        let (process, port) = (Process::new("sordino-nginx-"), free_port());
        let mut nginx = Self { process, port };
        let folder = nginx.process.folder.clone();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
            .concat();
        let http = configure(port, &folder);
        let text = format!(
            "daemon off;\nworker_processes {workers};\npid {0}/pid;\nerror_log stderr warn;\n\
             events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{temporary}\n{http}\n}}\n",
            folder.display()
        );
        fs::write(folder.join("nginx.conf"), text).unwrap();
        let mut server = command(&program);
        server
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "stderr"]);
        server.envs(environment.iter().copied());
        nginx.process.start(server);
        let address = nginx.address();
        if let Err(log) = nginx
            .process
            .wait_until(|| TcpStream::connect(address).is_ok())
        {
            panic!("nginx: {log}");
        }
        Some(nginx)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The folder of its data and its `log`.
    pub(crate) fn folder(&self) -> &Path {
        &self.process.folder
    }
}
