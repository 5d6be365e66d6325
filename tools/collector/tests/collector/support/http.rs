//! HTTP/1.1 requests and responses, with signatures by RFC 9421.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    digest::{SHA256, digest},
    signature::Ed25519KeyPair,
};
use serde_json::Value;
use sordino::Id;
use tokio::net::TcpSocket;

use super::*;

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
