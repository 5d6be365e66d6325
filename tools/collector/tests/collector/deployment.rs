//! The files in deploy/: nginx in front of two collectors, and the systemd unit.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::{
    services::{Nginx, free_port, tied},
    support::*,
};

/// A collector on a fixed port, so that a proxy finds it after a restart. It is killed on drop.
pub(crate) struct Instance {
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    pub(crate) port: u16,
    child: Option<Child>,
}

impl Instance {
    pub(crate) fn start(
        data: &Path,
        arguments: &[String],
        environment: &[(&'static str, String)],
    ) -> Self {
        let port = free_port();
        let mut all = vec!["--listen".to_owned(), format!("127.0.0.1:{port}")];
        all.extend(["--data".to_owned(), data.display().to_string()]);
        all.extend_from_slice(arguments);
        let environment = environment.to_vec();
        let mut instance = Self {
            arguments: all,
            environment,
            port,
            child: None,
        };
        instance.start_again();
        instance
    }

    pub(crate) fn start_again(&mut self) {
        let mut child = tied(Path::new(env!("CARGO_BIN_EXE_sordino-collector")))
            .arg("serve")
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first line reports that it is ready; its exit closes the pipe.
        let mut first = [0];
        let read = child.stdout.as_mut().unwrap().read(&mut first).unwrap();
        assert_eq!(read, 1, "a collector did not start");
        self.child = Some(child);
    }

    /// Sends SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}

/// deploy/nginx.conf with the ports, names and folders of the test.
pub(crate) fn deployed(port: u16, folder: &Path, instances: &[u16]) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/nginx.conf");
    let mut text = fs::read_to_string(path).unwrap();
    let example = ["8787", "8788"];
    assert_eq!(instances.len(), example.len());
    let folder = folder.display();
    for (from, to) in [
        ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
        ("    listen [::]:443 ssl;\n", String::new()),
        (
            "/etc/ssl/collector.example.pem",
            format!("{folder}/certificate.pem"),
        ),
        (
            "/etc/ssl/collector.example.key",
            format!("{folder}/key.pem"),
        ),
        (
            "/var/log/nginx/sordino.log",
            format!("{folder}/sordino.log"),
        ),
        (example[0], instances[0].to_string()),
        (example[1], instances[1].to_string()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, &to, 1);
    }
    text
}

/// The same configuration without TLS.
pub(crate) fn deployed_in_clear(port: u16, folder: &Path, instances: &[u16]) -> String {
    let text =
        deployed(port, folder, instances).replace(&format!("{port} ssl;"), &format!("{port};"));
    let is_clear = |line: &&str| !line.trim_start().starts_with("ssl_");
    text.lines().filter(is_clear).collect::<Vec<_>>().join("\n")
}

#[test]
fn signed_requests_pass_nginx_and_no_address_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let instances = [(); 2].map(|()| Instance::start(folder.path(), &[], &[]));
    let ports = instances.each_ref().map(|instance| instance.port);
    let mut certificate = Vec::new();
    let Some(nginx) = Nginx::start(|port, folder| {
        certificate = make_certificate(folder);
        deployed(port, folder, &ports)
    }) else {
        return;
    };
    let tls = Tls::trusting(&certificate, &nginx);
    let device = Device::new();
    tls.send(&device.register(1, QA)).expect(201);
    for number in 0..20 {
        let (id, file) = (sample(), age_file(1, number));
        tls.send(&device.put(id, QA, &file)).expect(201);
        tls.send(&device.put(id, QA, &file)).expect(200);
        tls.send(&device.accesses(id)).expect(200);
        if number % 2 == 0 {
            tls.send(&device.delete(id)).expect(204);
            tls.send(&device.put(id, QA, &file)).problem(410, "deleted");
        }
    }
    // A problem document of the collector, not an error page of nginx.
    let large = device.put(sample(), QA, &[age_file(1, 1), vec![0; 1 << 20]].concat());
    tls.send(&large).problem(413, "too-large");
    tls.send(&device.withdraw(QA)).expect(200);
    assert_eq!(tls.send(&Request::new("GET", "/metrics")).status, 404);
    tls.send(&Request::new("GET", "/healthz")).expect(200);
    for file in files_below(nginx.folder()) {
        let text = fs::read(&file).unwrap();
        let names_it = holds(&text, b"127.0.0.1");
        assert!(
            !names_it || file.ends_with("nginx.conf"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn nginx_fails_over_to_the_other_collector() {
    let folder = tempfile::tempdir().unwrap();
    let mut instances = [(); 2].map(|()| Instance::start(folder.path(), &[], &[]));
    let ports = instances.each_ref().map(|instance| instance.port);
    let configure = |port, folder: &Path| deployed_in_clear(port, folder, &ports);
    let Some(nginx) = Nginx::start(configure) else {
        return;
    };
    let device = Device::new();
    send(nginx.address(), &device.register(1, QA)).expect(201);
    for (number, killed) in (0..).zip([0, 1]) {
        instances[killed].kill();
        for seed in 0..10 {
            let request = device.put(sample(), QA, &age_file(1, 10 * number + seed));
            send(nginx.address(), &request).expect(201);
        }
        instances[killed].start_again();
    }
}

/// systemd accepts the unit and rates its sandboxing.
#[test]
fn systemd_accepts_the_unit_and_rates_it_hardened() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        let _ = writeln!(io::stderr(), "skipped: systemd-analyze is lacking");
        return;
    }
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/sordino-collector.service"
    );
    let unit = fs::read_to_string(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("sordino-collector.service");
    let binary = env!("CARGO_BIN_EXE_sordino-collector");
    fs::write(&own, unit.replace("/usr/bin/sordino-collector", binary)).unwrap();
    for arguments in [
        &["verify"][..],
        &["security", "--offline=true", "--threshold=15"],
    ] {
        let output = Command::new("systemd-analyze")
            .args(arguments)
            .arg(&own)
            .output();
        let output = output.unwrap();
        let message = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&message)
        );
    }
}

/// An HTTPS client that trusts one certificate.
struct Tls<'a> {
    config: Arc<ClientConfig>,
    nginx: &'a Nginx,
}

impl<'a> Tls<'a> {
    fn trusting(certificate: &[u8], nginx: &'a Nginx) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(certificate).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let config = Arc::new(config);
        Self { config, nginx }
    }

    fn send(&self, request: &Request) -> Response {
        let name = "collector.example".try_into().unwrap();
        let session = ClientConnection::new(self.config.clone(), name).unwrap();
        let socket = TcpStream::connect(self.nginx.address()).unwrap();
        let mut stream = StreamOwned::new(session, socket);
        let mut bytes = request.head().into_bytes();
        bytes.extend(request.body.iter().flatten());
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        Response {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body: answer[end + 4..].to_vec(),
        }
    }
}

fn make_certificate(folder: &Path) -> Vec<u8> {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=collector.example"])
        .args(["-addext", "subjectAltName=DNS:collector.example"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    // Created by root, read by nginx's user.
    for path in [&key, &certificate] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(path, mode).unwrap();
    }
    fs::read(certificate).unwrap()
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path),
            false => vec![path],
        })
        .collect()
}
