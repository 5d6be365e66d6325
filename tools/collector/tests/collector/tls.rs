//! https: spoken with the certificate in force, renewed while it runs.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use sordino_collector::TlsFiles;

use crate::support::*;

/// Makes a certificate for this machine's own name by OpenSSL, and its key next to it.
fn make_certificate(folder: &Path, name: &str) -> TlsFiles {
    let files = TlsFiles {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key")),
    };
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=a collector",
        ])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&files.key)
        .arg("-out")
        .arg(&files.certificate)
        .output()
        .expect("the openssl command, which apt-get install openssl brings");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    files
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts this certificate alone.
fn connect_tls(address: SocketAddr, certificate: &Path) -> std::io::Result<Stream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, connect(address));
    // The handshake.
    stream.flush()?;
    Ok(stream)
}

fn send_tls(mut stream: Stream, request: &Request) -> Response {
    let mut bytes = request.head().into_bytes();
    bytes.extend(request.body.iter().flatten());
    stream.write_all(&bytes).unwrap();
    read_response(&mut stream).unwrap()
}

fn health() -> Request {
    Request::new("GET", "/healthz")
}

#[test]
fn devices_and_readers_are_served_over_tls() {
    let mut files = None;
    let collector = Collector::start_with(|config| {
        let made = make_certificate(&config.data, "one");
        config.tls = Some(made.clone());
        files = Some(made);
    });
    let certificate = files.unwrap().certificate;
    assert!(collector.url().starts_with("https://127.0.0.1:"));
    let send = |request: &Request| {
        send_tls(
            connect_tls(collector.address(), &certificate).unwrap(),
            request,
        )
    };
    let device = Device::new();
    send(&device.register(1, BOTH)).expect(201);
    let (id, file) = (sample(), age_file(1, 1));
    send(&device.put(id, BOTH, &file)).expect(201);
    let token = collector.token(QA);
    let request = Request::new("GET", format!("/v1/samples/{id}?purpose={QA}"))
        .header("Authorization", format!("Bearer {token}"));
    assert_eq!(send(&request).expect(200).body, file);

    let (tls_1_2, tls_1_3) = (
        openssl_speaks(&collector, "-tls1_2"),
        openssl_speaks(&collector, "-tls1_3"),
    );
    assert!(tls_1_2 && tls_1_3);
    assert!(!openssl_speaks(&collector, "-tls1_1"));
}

/// Another implementation's word.
fn openssl_speaks(collector: &Collector, version: &str) -> bool {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-brief", version, "-connect"]);
    client.arg(collector.address().to_string());
    client.stdin(std::process::Stdio::null());
    client.output().unwrap().status.success()
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        make_certificate(folder.path(), "old"),
        make_certificate(folder.path(), "new"),
    );
    let in_force = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("cert.key"),
    };
    let copy = |from: &TlsFiles| {
        std::fs::copy(&from.certificate, &in_force.certificate).unwrap();
        std::fs::copy(&from.key, &in_force.key).unwrap();
    };
    copy(&old);
    let service = Service::start(
        folder.path(),
        &[
            "--tls-cert",
            in_force.certificate.to_str().unwrap(),
            "--tls-key",
            in_force.key.to_str().unwrap(),
        ],
    );
    let speaks = |files: &TlsFiles| connect_tls(service.address(), &files.certificate).is_ok();
    assert!(speaks(&old) && !speaks(&new));
    let kept = connect_tls(service.address(), &old.certificate).unwrap();

    // Half renewed, and then broken: the one in force stays. The log tells when it has looked.
    let refused = |what: &str| {
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        let mut lines = log.lines();
        lines.any(|line| line.contains("keeping the current certificate") && line.contains(what))
    };
    std::fs::copy(&new.certificate, &in_force.certificate).unwrap();
    service.signal("-HUP");
    eventually(|| refused("cannot use the certificate with the key"));
    assert!(speaks(&old) && !speaks(&new));
    std::fs::write(&in_force.key, "no key").unwrap();
    service.signal("-HUP");
    eventually(|| refused("not a PEM file with a private key"));
    assert!(speaks(&old));

    // By the signal, and by looking.
    copy(&new);
    service.signal("-HUP");
    eventually(|| speaks(&new));
    assert!(!speaks(&old));
    copy(&old);
    eventually(|| speaks(&old));
    // Existing connections continue.
    send_tls(kept, &health()).expect(200);
}

#[test]
fn a_stalled_tls_handshake_times_out() {
    let mut files = None;
    let collector = Collector::start_with(|config| {
        // Long enough for one that greets, wherever this runs.
        config.limits.handshake = Duration::from_secs(2);
        config.limits.connections = 4;
        let made = make_certificate(&config.data, "one");
        config.tls = Some(made.clone());
        files = Some(made);
    });
    let mut silent: Vec<TcpStream> = (0..4).map(|_| connect(collector.address())).collect();
    // Plain http, and a greeting that never ends.
    silent[0]
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    silent[1].write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
    for stream in &mut silent {
        assert!(!until_closed(stream).starts_with(b"HTTP"));
    }
    // All four slots are free again, for clients that complete the handshake in time.
    let certificate = files.unwrap().certificate;
    eventually(|| {
        let stream = connect_tls(collector.address(), &certificate);
        stream.is_ok_and(|stream| send_tls(stream, &health()).status == 200)
    });
}

#[test]
fn an_invalid_certificate_is_a_one_line_error() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        make_certificate(folder.path(), "one"),
        make_certificate(folder.path(), "other"),
    );
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let nowhere = "/nowhere/key.pem".to_owned();
    for (certificate, key, says) in [
        (text(&one.certificate), nowhere.clone(), nowhere.clone()),
        (text(&one.certificate), text(&other.key), "key".to_owned()),
        (text(&one.key), text(&one.key), text(&one.key)),
        (
            text(&one.certificate),
            text(&one.certificate),
            text(&one.certificate),
        ),
    ] {
        let data = folder.path().to_str().unwrap();
        let arguments = [
            "serve",
            "--data",
            data,
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ];
        let output = run(&arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.lines().count() == 1 && stderr.contains(&says),
            "{stderr}"
        );
    }
    let alone = ["serve", "--data", "x", "--tls-cert", "y"];
    assert_eq!(run(&alone).status.code(), Some(2));
}
