//! The measured services: the collector, MinIO and nginx's WebDAV, each as a process on
//! the same disk.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use tempfile::TempDir;

use crate::{
    client::Prepared,
    services::{Nginx, S3},
    support::{self, BOTH, Device, Request},
};

/// Size of a sample, in bytes.
pub(crate) const SAMPLE: usize = 150_000;
/// The number of consent records over which the samples are distributed, so that no record limit applies.
const RECORDS: usize = 512;

/// A collector of the build under test, with registered records.
pub(crate) struct Collector {
    process: Child,
    pub(crate) address: SocketAddr,
    pub(crate) data: TempDir,
    devices: Vec<Device>,
}

impl Collector {
    pub(crate) fn start(arguments: &[&str], environment: &[(&'static str, String)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_sordino-collector"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .args(arguments)
            .envs(environment.iter().cloned())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (_, address) = line.trim().split_once("http://").expect("a ready line");
        let address = address.parse().unwrap();
        let mut collector = Self {
            process,
            address,
            data,
            devices: Vec::new(),
        };
        collector.register();
        collector
    }

    fn register(&mut self) {
        self.devices = self.new_devices(RECORDS);
    }

    /// The ids of the registered records.
    pub(crate) fn records(&self) -> Vec<String> {
        let ids = self.devices.iter().map(|device| device.record.to_string());
        ids.collect()
    }

    /// Devices, each with its own record.
    pub(crate) fn new_devices(&self, count: usize) -> Vec<Device> {
        let devices: Vec<Device> = (0..count).map(|_| Device::new()).collect();
        for device in &devices {
            support::send(self.address, &device.register(1, BOTH)).expect(201);
        }
        devices
    }

    /// Signed uploads of new samples.
    pub(crate) fn uploads(&self, count: usize) -> Vec<Prepared> {
        let body: Arc<[u8]> = sample_file().into();
        let template = Request::new("PUT", "/").body(body.to_vec());
        let devices = self.devices.iter().cycle();
        devices
            .take(count)
            .map(|device| {
                let mut request = device.draft(support::sample(), BOTH, &[]);
                request = request.without("Content-Digest");
                request.body = None;
                let digest = template
                    .headers
                    .iter()
                    .find(|(name, _)| name == "Content-Digest");
                request.headers.extend(digest.cloned());
                prepared(&request.sign(device), &body)
            })
            .collect()
    }

    /// Uploads, each of which is deleted after `lag` further ones.
    pub(crate) fn uploads_and_deletions(&self, count: usize, lag: usize) -> Vec<Prepared> {
        let uploads = self.uploads(count);
        let none: Arc<[u8]> = Arc::new([]);
        let mut both = Vec::with_capacity(2 * count);
        for (index, upload) in uploads.iter().enumerate() {
            both.push(upload.clone());
            if let Some(earlier) = index.checked_sub(lag) {
                let head = std::str::from_utf8(&uploads[earlier].head).unwrap();
                let path = head.split(' ').nth(1).unwrap();
                let device = &self.devices[earlier % RECORDS];
                both.push(prepared(&Request::new("DELETE", path).sign(device), &none));
            }
        }
        both
    }

    /// The current memory usage, in megabytes.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes.unwrap() * 1024.0 / 1e6
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Single PUTs, signed with AWS Signature Version 4 with an unsigned payload, as over TLS.
pub(crate) fn minio_uploads(s3: &S3, count: usize) -> Vec<Prepared> {
    let body: Arc<[u8]> = sample_file().into();
    let bucket = s3.new_bucket();
    (0..count)
        .map(|_| {
            let path = format!("/{bucket}/{}.age", support::sample());
            let mut request = Request::new("PUT", &path).set("Host", s3.authority());
            for (name, value) in s3.sign("PUT", &path, "") {
                request = request.header(name, value);
            }
            prepared(&request, &body)
        })
        .collect()
}

pub(crate) fn nginx_uploads(count: usize) -> Vec<Prepared> {
    let body: Arc<[u8]> = sample_file().into();
    let request = |_| Request::new("PUT", format!("/{}.age", support::sample()));
    (0..count)
        .map(|number| prepared(&request(number), &body))
        .collect()
}

/// nginx's WebDAV, which syncs the file and the folder when it renames.
pub(crate) fn nginx(workers: usize) -> Option<Nginx> {
    let build = tempfile::tempdir().unwrap();
    fs::set_permissions(build.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let shim = build.path().join("fsync_on_rename.so");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/load/fsync_on_rename.c");
    let compiler = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .arg(&shim)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(compiler.unwrap().success(), "cc could not build the shim");
    Nginx::start_with(
        workers,
        &[("LD_PRELOAD", shim.as_os_str())],
        |port, folder| {
            let folder = folder.display();
            format!(
                "server {{
                listen 127.0.0.1:{port} backlog=1024;
                client_max_body_size 2m;
                client_body_buffer_size 256k;
                root {folder};
                location / {{ dav_methods PUT; }}
            }}"
            )
        },
    )
}

/// An age header and incompressible data, [`SAMPLE`] bytes in total.
fn sample_file() -> Vec<u8> {
    let mut file = support::age_file(1, 0);
    let end = file.windows(4).position(|four| four == b"\n---").unwrap();
    let head = end
        + 1
        + file[end + 1..]
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap()
        + 1;
    file.truncate(head);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    while file.len() < SAMPLE {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        file.extend(seed.to_le_bytes());
    }
    file.truncate(SAMPLE);
    file
}

/// The bytes of a request with keep-alive.
fn prepared(request: &Request, body: &Arc<[u8]>) -> Prepared {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let head = (head + "\r\n").into_bytes();
    Prepared {
        head,
        body: body.clone(),
    }
}
