use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use ring::{digest, hmac};

use super::{Process, command, free_port, program, random, secret, wanted};

const REGION: &str = "us-east-1";
/// The value for an unsigned body.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// MinIO, with an empty bucket.
pub(crate) struct S3 {
    process: Process,
    program: PathBuf,
    port: u16,
    key: String,
    secret: String,
    bucket: String,
}

impl S3 {
    pub(crate) fn start() -> Option<Self> {
        let built = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/s3"));
        let program = wanted("MinIO (an S3 server)", || program("minio", &[built]))?;
        let mut s3 = Self {
            process: Process::new("sordino-s3-"),
            program,
            port: free_port(),
            key: format!("{:016x}", random()),
            secret: secret(),
            bucket: String::new(),
        };
        s3.start_again();
        s3.bucket = s3.new_bucket();
        Some(s3)
    }

    /// The URL of the bucket, `s3://NAME`.
    pub(crate) fn url(&self) -> String {
        format!("s3://{}", self.bucket)
    }

    /// Creates another bucket and returns its name, so that tests can share a server.
    pub(crate) fn new_bucket(&self) -> String {
        let name = format!("test-{:016x}", random());
        let (status, body) = self.request("PUT", &format!("/{name}"), "", b"");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        name
    }

    /// The environment variables of the endpoint and credentials.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", self.key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.authority())
    }

    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Access key and secret.
    pub(crate) fn credentials(&self) -> (&str, &str) {
        (&self.key, &self.secret)
    }

    /// The names of the objects in a bucket.
    pub(crate) fn objects(&self, bucket: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let query = match names.last() {
                None => "list-type=2".to_owned(),
                Some(last) => format!("list-type=2&start-after={}", last.replace('/', "%2F")),
            };
            let (status, body) = self.request("GET", &format!("/{bucket}"), &query, b"");
            let body = String::from_utf8(body).unwrap();
            assert_eq!(status, 200, "{body}");
            let known = names.len();
            for rest in body.split("<Key>").skip(1) {
                names.push(rest.split("</Key>").next().unwrap().to_owned());
            }
            if names.len() == known {
                return names;
            }
        }
    }

    pub(crate) fn object(&self, bucket: &str, name: &str) -> Option<Vec<u8>> {
        match self.request("GET", &format!("/{bucket}/{name}"), "", b"") {
            (200, body) => Some(body),
            (404, _) => None,
            (status, body) => panic!("{status}: {}", String::from_utf8_lossy(&body)),
        }
    }

    pub(crate) fn put(&self, bucket: &str, name: &str, body: &[u8]) {
        let (status, answer) = self.request("PUT", &format!("/{bucket}/{name}"), "", body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }

    /// Enables versioning of a bucket.
    pub(crate) fn keep_versions(&self, bucket: &str) {
        const VERSIONING: &[u8] =
            b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let (status, answer) =
            self.request("PUT", &format!("/{bucket}"), "versioning=", VERSIONING);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }

    /// The folder of its data and its `log`.
    pub(crate) fn folder(&self) -> &Path {
        &self.process.folder
    }

    /// Stops it with SIGTERM.
    pub(crate) fn stop(&mut self) {
        self.process.signal("TERM");
    }

    /// Sends SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Restarts it with the same port and data.
    pub(crate) fn start_again(&mut self) {
        let mut server = command(&self.program);
        server
            .args(["server", "--quiet", "--address", &self.authority(), "data"])
            .env("MINIO_ROOT_USER", &self.key)
            .env("MINIO_ROOT_PASSWORD", &self.secret)
            .env("MINIO_BROWSER", "off")
            .env("MINIO_UPDATE", "off");
        self.process.start(server);
        let port = self.port;
        let ready = self.process.wait_until(|| {
            let probe =
                "GET /minio/health/cluster HTTP/1.1\r\nHost: s3\r\nConnection: close\r\n\r\n";
            exchange(port, probe.as_bytes()).is_some_and(|(status, _)| status == 200)
        });
        if let Err(log) = ready {
            panic!("MinIO: {log}");
        }
    }

    /// The headers of a request that is signed by AWS Signature Version 4; `query` is in canonical form.
    pub(crate) fn sign(
        &self,
        method: &str,
        path: &str,
        query: &str,
    ) -> Vec<(&'static str, String)> {
        let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let (day, host) = (&now[..8], self.authority());
        let scope = format!("{day}/{REGION}/s3/aws4_request");
        let names = "host;x-amz-content-sha256;x-amz-date";
        let request = format!(
            "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{UNSIGNED}\n\
             x-amz-date:{now}\n\n{names}\n{UNSIGNED}"
        );
        let hash = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{hash}");
        let start = format!("AWS4{}", self.secret).into_bytes();
        let steps = [day, REGION, "s3", "aws4_request"];
        let key = steps.iter().fold(start, |key, step| mac(&key, step));
        let signature = hex(&mac(&key, &text));
        let key = &self.key;
        vec![
            ("x-amz-content-sha256", UNSIGNED.to_owned()),
            ("x-amz-date", now),
            (
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, \
                     Signature={signature}"
                ),
            ),
        ]
    }

    fn request(&self, method: &str, path: &str, query: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let target = match query {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        };
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\n",
            self.authority()
        );
        for (name, value) in self.sign(method, path, query) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        head.push_str("Connection: close\r\n\r\n");
        let request = [head.as_bytes(), body].concat();
        exchange(self.port, &request).expect("an answer of the S3 server")
    }
}

/// Sends a request with `Connection: close` and reads status and body.
fn exchange(port: u16, request: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = &answer[end + 4..];
    Some(match head.contains("transfer-encoding: chunked") {
        true => (status, unchunked(body)?),
        false => (status, body.to_vec()),
    })
}

fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&body[..end]).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend(body.get(end + 2..end + 2 + size)?);
        body = body.get(end + 2 + size + 2..)?;
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
