//! An independent implementation of a device and a QA tool, from docs/protocol.md and RFC 9421: it does not use the
//! request code of the collector or the SDK.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    digest::{SHA256, digest},
    signature::Ed25519KeyPair,
};
use serde_json::{Value, json};
use sordino::{
    Id, Purpose, Purposes,
    consent::{AgeBand, NoticeReference, Record, SignedRecord},
    plan::{Plan, Recipient, SignedPlan, Triggers},
};
use sordino_collector::{BlockingServer, Config, TokenError};
use tempfile::TempDir;
pub(crate) use test_fixtures::key_pair as key;
use tokio::net::TcpSocket;

use crate::database::database_of;

pub(crate) const QA: &str = "quality-assurance";
pub(crate) const BOTH: &str = "quality-assurance, recognition-research";
pub(crate) const RESEARCH: &str = "recognition-research";

/// The timeout of all waits. It only ends hanging tests: as the lowest-priority one of
/// three processes on a core (`nice -n 19`), tests take some sixty times as long.
pub(crate) const HANG: Duration = Duration::from_secs(600);

/// A running collector with its folder.
pub(crate) struct Collector {
    server: Option<BlockingServer>,
    pub(crate) config: Config,
    _folder: Option<TempDir>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// `change` can modify the configuration; the data folder exists already. By default, maintenance and retention are
    /// disabled, because they would interfere with tests that create objects or rows themselves; and
    /// the timeouts for clients are long.
    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path());
        config.listen = "127.0.0.1:0".to_owned();
        config.maintenance_interval = None;
        let limits = &mut config.limits;
        (limits.headers, limits.idle, limits.whole_body) = (HANG, HANG, HANG);
        (limits.handshake, limits.grace, limits.write) = (HANG, HANG, HANG);
        change(&mut config);
        if config.database.is_none() {
            config.database = database_of(&config.data).map(|url| url.parse().unwrap());
        }
        let server = Some(BlockingServer::start(config.clone()).unwrap());
        Self {
            server,
            config,
            _folder: Some(folder),
        }
    }

    pub(crate) fn restart(&mut self) {
        drop(self.server.take());
        self.server = Some(BlockingServer::start(self.config.clone()).unwrap());
    }

    /// Stops it and waits for the shutdown.
    pub(crate) fn stop(&mut self) {
        drop(self.server.take());
    }

    /// The metrics of the operator's listener.
    pub(crate) fn metrics_page(&self) -> String {
        let address = self.server.as_ref().unwrap().metrics_address().unwrap();
        let answer = send(address, &Request::new("GET", "/metrics"));
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().address()
    }

    pub(crate) fn url(&self) -> String {
        self.server.as_ref().unwrap().url()
    }

    pub(crate) fn data(&self) -> &Path {
        &self.config.data
    }

    pub(crate) fn send(&self, request: &Request) -> Response {
        send(self.address(), request)
    }

    /// The first token is called "a reader"; further ones have a number appended.
    pub(crate) fn token(&self, purposes: &str) -> String {
        let mut names = (1..).map(|number| match number {
            1 => "a reader".to_owned(),
            number => format!("a reader {number}"),
        });
        let token = names.find_map(|name| self.try_token_of(&name, purposes).ok());
        token.unwrap()
    }

    pub(crate) fn token_of(&self, name: &str, purposes: &str) -> String {
        self.try_token_of(name, purposes).unwrap()
    }

    fn try_token_of(&self, name: &str, purposes: &str) -> Result<String, TokenError> {
        let server = self.server.as_ref().unwrap();
        let token = server.create_token(name, &purposes.parse().unwrap())?;
        Ok(token.as_str().to_owned())
    }

    /// A GET of a QA tool.
    pub(crate) fn read(&self, token: &str, target: &str) -> Response {
        let request =
            Request::new("GET", target).header("Authorization", format!("Bearer {token}"));
        self.send(&request)
    }

    /// A PUT of a QA tool.
    pub(crate) fn say(&self, token: &str, target: &str, body: Body) -> Response {
        let (kind, body) = match body {
            Body::Json(json) => ("application/json", json.to_string().into_bytes()),
            Body::Bytes(bytes) => ("application/octet-stream", bytes),
        };
        let mut request = Request::new("PUT", target)
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", kind);
        request.body = Some(body);
        self.send(&request)
    }

    /// The ids of all samples for a purpose, page by page.
    pub(crate) fn listed(&self, token: &str, purpose: &str) -> Vec<String> {
        let mut listed = Vec::new();
        let mut after = String::new();
        loop {
            let target = format!("/v1/samples?purpose={purpose}{after}");
            let page = self.read(token, &target).expect(200).json();
            let samples = page["samples"].as_array().unwrap();
            if samples.is_empty() {
                return listed;
            }
            let ids = samples.iter().map(|sample| sample["id"].as_str().unwrap());
            listed.extend(ids.map(str::to_owned));
            after = format!("&after={}", page["next"].as_str().unwrap());
        }
    }

    /// The head of the access log, requested without a token.
    pub(crate) fn head(&self) -> Value {
        self.send(&Request::new("GET", "/v1/audit/head"))
            .expect(200)
            .json()
    }

    /// The whole access log.
    pub(crate) fn log(&self) -> Vec<Value> {
        let token = self.token(QA);
        let mut log = Vec::new();
        loop {
            let target = format!("/v1/audit/log?after={}", log.len());
            let page = self.read(&token, &target).expect(200).json();
            match page["entries"].as_array().unwrap().as_slice() {
                [] => return log,
                entries => log.extend_from_slice(entries),
            }
        }
    }

    /// Files of samples, whole or partial.
    pub(crate) fn files(&self, extension: &str) -> Vec<PathBuf> {
        files(self.data(), extension)
    }

    pub(crate) fn object(&self, sample: Id) -> PathBuf {
        self.data().join(format!("{sample}.age"))
    }
}

pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

/// A request of a QA tool.
pub(crate) enum Body {
    Json(Value),
    Bytes(Vec<u8>),
}

/// A consent record and its key, like a device.
pub(crate) struct Device {
    pub(crate) record: Id,
    pub(crate) key: Ed25519KeyPair,
}

impl Device {
    pub(crate) fn new() -> Self {
        Self {
            record: Id::random().unwrap(),
            key: key(),
        }
    }

    /// Creates one whose record is registered for these purposes.
    pub(crate) fn registered(collector: &Collector, purposes: &str) -> Self {
        let device = Self::new();
        collector.send(&device.register(1, purposes)).expect(201);
        device
    }

    /// Creates a registered one with a stored sample.
    pub(crate) fn with_sample(collector: &Collector, purposes: &str) -> (Self, Id) {
        let device = Self::registered(collector, purposes);
        let id = sample();
        let request = device.put(id, purposes, &age_file(1, 1));
        collector.send(&request).expect(201);
        (device, id)
    }

    pub(crate) fn content(&self, revision: u32, purposes: &str) -> Record {
        Record {
            schema: Record::SCHEMA,
            id: self.record,
            revision,
            purposes: purposes.parse().unwrap(),
            age_band: AgeBand::Adult,
            guardian: None,
            notice: NoticeReference {
                version: 1,
                language: "en".to_owned(),
                sha256: "0".repeat(64),
            },
            controller: None,
            given: "2020-W01".parse().unwrap(),
            holds_until: "2999-W01".parse().unwrap(),
        }
    }

    pub(crate) fn document(&self, content: Record) -> Vec<u8> {
        SignedRecord::sign(content, &self.key)
            .unwrap()
            .to_json()
            .into_bytes()
    }

    pub(crate) fn register(&self, revision: u32, purposes: &str) -> Request {
        self.register_document(self.document(self.content(revision, purposes)))
    }

    pub(crate) fn register_document(&self, document: Vec<u8>) -> Request {
        Request::new("PUT", format!("/v1/consents/{}", self.record))
            .body(document)
            .sign(self)
    }

    pub(crate) fn withdraw(&self, purposes: &str) -> Request {
        let purposes: Purposes = purposes.parse().unwrap();
        let body = json!({"purposes": purposes}).to_string();
        Request::new("PUT", format!("/v1/consents/{}/withdrawal", self.record))
            .body(body.into_bytes())
            .sign(self)
    }

    pub(crate) fn put(&self, sample: Id, purposes: &str, body: &[u8]) -> Request {
        self.draft(sample, purposes, body).sign(self)
    }

    /// An unsigned upload.
    pub(crate) fn draft(&self, sample: Id, purposes: &str, body: &[u8]) -> Request {
        Request::new("PUT", format!("/v1/samples/{sample}"))
            .body(body.to_vec())
            .header("Sordino-Purposes", purposes.to_owned())
            .header("Sordino-Recipients", recipients_digest(&[recipient(1)]))
    }

    pub(crate) fn delete(&self, sample: Id) -> Request {
        Request::new("DELETE", format!("/v1/samples/{sample}")).sign(self)
    }

    pub(crate) fn accesses(&self, sample: Id) -> Request {
        Request::new("GET", format!("/v1/samples/{sample}/accesses")).sign(self)
    }

    /// Requests proofs since the head with `entries` entries.
    pub(crate) fn accesses_since(&self, sample: Id, seen: impl std::fmt::Display) -> Request {
        let target = format!("/v1/samples/{sample}/accesses/since/{seen}");
        Request::new("GET", target).sign(self)
    }
}

pub(crate) fn sample() -> Id {
    Id::random().unwrap()
}

/// An age file with `recipients` X25519 stanzas and a payload that depends on `seed`.
pub(crate) fn age_file(recipients: usize, seed: u64) -> Vec<u8> {
    let line = "A".repeat(43);
    let stanzas = format!("-> X25519 {line}\n{line}\n").repeat(recipients);
    let mut file = format!("age-encryption.org/v1\n{stanzas}--- {line}\n").into_bytes();
    file.extend(seed.to_le_bytes().repeat(4096));
    file
}

/// One so large that the collector flushes its buffer before the rest has arrived.
pub(crate) fn long_age_file() -> Vec<u8> {
    let mut file = age_file(1, 1);
    file.resize(700_000, 7);
    file
}

/// The size of that buffer, in bytes.
pub(crate) const LONG_ENOUGH: usize = 300_000;

pub(crate) fn recipient(number: u8) -> Recipient {
    Recipient::from([number; 32])
}

/// docs/protocol.md: sorted, one per line, each terminated by a line feed.
pub(crate) fn recipients_digest(recipients: &[Recipient]) -> String {
    let mut lines: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    lines.sort();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// The `previous` hash of the first entry of the access log.
pub(crate) const NO_ENTRY: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// The first entry that violates the chain of docs/protocol.md: numbers without gaps, each hash
/// matches its entry, each entry is chained to the previous one.
pub(crate) fn first_break(log: &[Value]) -> Option<usize> {
    let mut previous = json!(NO_ENTRY);
    (1..).zip(log).find_map(|(number, entry)| {
        let hash = json!(sha256(canonical(entry).as_bytes()));
        let fits = entry["sequence"] == number
            && entry["previous"] == previous
            && entry["hash"] == hash
            && entry.as_object().unwrap().len() == HASHED.len() + 1;
        previous = hash;
        (!fits).then_some(number)
    })
}

/// The members of an entry that its hash covers, in order.
const HASHED: [&str; 6] = [
    "previous", "purpose", "reader", "sample", "sequence", "week",
];

/// An entry without its hash, in the canonical form of RFC 8785.
pub(crate) fn canonical(entry: &Value) -> String {
    let pairs = HASHED.map(|member| format!("\"{member}\":{}", entry[member]));
    format!("{{{}}}", pairs.join(","))
}

/// The head of a log, with the root of its tree.
pub(crate) fn head_of(log: &[Value]) -> Value {
    let hash = log
        .last()
        .map_or(json!(NO_ENTRY), |last| last["hash"].clone());
    json!({"entries": log.len(), "hash": hash, "root": hex(&tree_hash(&leaves(log)))})
}

/// The hash of each entry's leaf: RFC 9162, section 2.1.1.
pub(crate) fn leaves(log: &[Value]) -> Vec<Vec<u8>> {
    let leaf = |entry| digest(&SHA256, format!("\0{}", canonical(entry)).as_bytes());
    log.iter()
        .map(|entry| leaf(entry).as_ref().to_vec())
        .collect()
}

/// `MTH(D[n])` of that section.
pub(crate) fn tree_hash(leaves: &[Vec<u8>]) -> Vec<u8> {
    let hashed = |content: &[u8]| digest(&SHA256, content).as_ref().to_vec();
    match leaves {
        [] => hashed(&[]),
        [leaf] => leaf.clone(),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            hashed(&[vec![1], tree_hash(left), tree_hash(right)].concat())
        }
    }
}

/// The largest power of two smaller than `n`.
pub(crate) fn split(leaves: usize) -> usize {
    let powers = (0..).map(|power| 1 << power);
    powers.take_while(|power| *power < leaves).last().unwrap()
}

#[track_caller]
pub(crate) fn assert_chained(log: &[Value]) {
    assert_eq!(first_break(log), None, "{log:#?}");
}

pub(crate) fn plan(
    version: u64,
    expires: &str,
    recipients: &[Recipient],
    purposes: &[Purpose],
) -> Plan {
    Plan {
        expires: expires.parse().unwrap(),
        recipients: recipients.to_vec(),
        purposes: purposes.iter().copied().collect(),
        triggers: Triggers {
            mark_probability: 1.0,
            random_probability: 0.1,
        },
        samples_per_day: 10,
        bytes_per_day: 1 << 20,
        pre_roll_seconds: 5,
        ..test_fixtures::plan(version)
    }
}

/// Writes a signed plan into a folder.
pub(crate) fn write_plan(folder: &Path, plan: Plan) -> PathBuf {
    let path = folder.join(format!("plan-{}.json", sample()));
    let signed = SignedPlan::sign(plan, &key()).unwrap();
    std::fs::write(&path, signed.to_pretty_json()).unwrap();
    path
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn new(method: &str, target: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            headers: vec![("Host".to_owned(), "Collector.Example:80".to_owned())],
            body: None,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.header(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn body(self, body: Vec<u8>) -> Self {
        let digest = BASE64.encode(digest(&SHA256, &body));
        let mut request = self.header("Content-Digest", format!("sha-256=:{digest}:"));
        request.body = Some(body);
        request
    }

    /// The components that docs/protocol.md requires for this kind of request.
    pub(crate) fn covered(&self) -> Vec<&'static str> {
        let fields = ["content-digest", "sordino-purposes", "sordino-recipients"];
        let there = fields.into_iter().filter(|name| self.field(name).is_some());
        ["@method", "@authority", "@path"]
            .into_iter()
            .chain(there)
            .collect()
    }

    pub(crate) fn sign(self, device: &Device) -> Self {
        let covered = self.covered();
        self.sign_as(
            &device.key,
            &covered,
            &parameters(device.record),
            |_, value| value,
        )
    }

    /// RFC 9421 section 3.1 with all choices: the components, the parameters, and the claimed
    /// values of the components.
    pub(crate) fn sign_as(
        self,
        key: &Ed25519KeyPair,
        covered: &[&str],
        parameters: &str,
        claim: impl Fn(&str, String) -> String,
    ) -> Self {
        let names: Vec<String> = covered.iter().map(|name| format!("\"{name}\"")).collect();
        let input = format!("({}){parameters}", names.join(" "));
        let mut base = String::new();
        for name in covered {
            let value = match *name {
                "@method" => self.method.clone(),
                "@authority" => self
                    .field("host")
                    .unwrap()
                    .to_lowercase()
                    .replace(":80", ""),
                "@path" => self.target.split('?').next().unwrap().to_owned(),
                field => self.field(field).unwrap_or_default(),
            };
            base.push_str(&format!("\"{name}\": {}\n", claim(name, value)));
        }
        base.push_str(&format!("\"@signature-params\": {input}"));
        let signature = BASE64.encode(key.sign(base.as_bytes()));
        self.header("Signature-Input", format!("sordino={input}"))
            .header("Signature", format!("sordino=:{signature}:"))
    }

    fn field(&self, name: &str) -> Option<String> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned())
    }

    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head + "Connection: close\r\n\r\n"
    }
}

/// The parameters that docs/protocol.md requires.
pub(crate) fn parameters(record: Id) -> String {
    format!(";keyid=\"{record}\";alg=\"ed25519\"")
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}\n{}",
            self.head,
            String::from_utf8_lossy(&self.body)
        );
        let protocol = self.header("sordino-protocol");
        assert!(self.is_of_unknown_path() || protocol.as_deref() == Some("1"));
        self
    }

    /// Asserts a problem document with this status and type.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, name: &str) -> Self {
        let response = self.expect(status);
        assert_eq!(
            response.header("content-type").unwrap(),
            "application/problem+json"
        );
        let document = response.json();
        assert_eq!(document["type"], format!("urn:sordino:problem:{name}"));
        assert_eq!(document["status"], status);
        assert!(
            document["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty())
        );
        assert!(
            document["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10)
        );
        response
    }

    /// Detected by its body, because the tests check that nothing else distinguishes it.
    fn is_of_unknown_path(&self) -> bool {
        self.status == 404 && self.json()["type"] == "urn:sordino:problem:unknown-path"
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream
}

/// Reads until the service closes or resets the connection, and returns everything received.
#[track_caller]
pub(crate) fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let end = stream
        .read_to_end(&mut received)
        .map_err(|error| error.kind());
    let is_open = matches!(end, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut));
    assert!(!is_open, "the connection was never closed");
    received
}

/// A connection from a given local address.
pub(crate) fn connect_from(from: IpAddr, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stream = runtime.block_on(async {
        let socket = match from {
            IpAddr::V4(_) => TcpSocket::new_v4().unwrap(),
            IpAddr::V6(_) => TcpSocket::new_v6().unwrap(),
        };
        socket.bind(SocketAddr::new(from, 0)).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream
}

/// Sends a request on a connection and reads the response.
pub(crate) fn exchange(mut stream: TcpStream, request: &Request) -> Response {
    let mut bytes = request.head().into_bytes();
    bytes.extend(request.body.iter().flatten());
    stream.write_all(&bytes).unwrap();
    read_response(&mut stream).expect("an answer")
}

pub(crate) fn send(address: SocketAddr, request: &Request) -> Response {
    try_send(address, request).expect("an answer")
}

/// `None` if the service exits in the meantime.
pub(crate) fn try_send(address: SocketAddr, request: &Request) -> Option<Response> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(HANG)).unwrap();
    let mut bytes = request.head().into_bytes();
    bytes.extend(request.body.iter().flatten());
    stream.write_all(&bytes).ok()?;
    read_response(&mut stream)
}

/// Reads a response: `Content-Length` bytes, or all until the end; `None` if it is truncated. What the
/// service does with the connection afterwards, such as a reset, is ignored.
pub(crate) fn read_response(stream: &mut impl io::Read) -> Option<Response> {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        let read = stream.read(&mut piece).ok()?;
        bytes.extend_from_slice(&piece[..read]);
        let response = parse_response(&bytes);
        let length: Option<usize> = response
            .as_ref()
            .and_then(|response| response.header("content-length")?.parse().ok());
        match (response, length) {
            (Some(response), Some(length)) if response.body.len() == length => {
                return Some(response);
            }
            (Some(response), None) if read == 0 => return Some(response),
            _ if read == 0 => return None,
            _ => {}
        }
    }
}

fn parse_response(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response {
        status,
        head,
        body: bytes[end + 4..].to_vec(),
    })
}

/// Waits until a condition is true.
#[track_caller]
pub(crate) fn eventually(holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < HANG, "it never came to hold");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether `bytes` contains `part`.
pub(crate) fn holds(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}
