//! Something that listens where a collector should.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

/// The manner of its responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// A collector's 500, without a problem document.
    Fails,
    /// 503, and says so in a problem document with control letters in it.
    Busy,
    /// 429 with `Retry-After: 3600`.
    TooMany,
    /// A captive portal: 200 and a page for everything.
    Portal,
    /// A captive portal that sends to its page.
    Redirects,
    /// A collector's 200 with a body that is not the answer's.
    Nonsense,
    /// No HTTP at all.
    Garbage,
    /// Reads the request and closes.
    Silent,
    /// Closes before the request is whole.
    ClosesEarly,
    /// Promises a body and closes in its middle.
    ClosesMidway,
}

impl Behavior {
    pub(crate) const ALL: [Self; 10] = [
        Self::Fails,
        Self::Busy,
        Self::TooMany,
        Self::Portal,
        Self::Redirects,
        Self::Nonsense,
        Self::Garbage,
        Self::Silent,
        Self::ClosesEarly,
        Self::ClosesMidway,
    ];

    fn answer(self) -> String {
        let collector = "Sordino-Protocol: 1\r\n";
        match self {
            Self::Fails => answer_of("500 Internal Server Error", collector, ""),
            Self::Busy => answer_of(
                "503 Service Unavailable",
                collector,
                r#"{"title": "", "detail": "busy\n\u001b[2J"}"#,
            ),
            Self::TooMany => answer_of(
                "429 Too Many Requests",
                &format!("{collector}Retry-After: 3600\r\n"),
                "",
            ),
            Self::Portal => answer_of("200 OK", "", "<h1>Please log in</h1>"),
            Self::Redirects => answer_of("302 Found", "Location: http://127.0.0.1:9/\r\n", ""),
            Self::Nonsense => answer_of("200 OK", collector, "[1, 2, 3]"),
            Self::Garbage => "\x01\x02\x03 what is this\r\n\r\n\r\n".to_owned(),
            Self::Silent | Self::ClosesEarly => String::new(),
            Self::ClosesMidway => {
                let whole = answer_of("200 OK", collector, &"{".repeat(1000));
                whole[..whole.len() - 500].to_owned()
            }
        }
    }
}

fn answer_of(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

/// A listener that answers every request in its manner. It counts them.
pub(crate) struct FakeServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ended: AtomicBool,
    requests: AtomicUsize,
    samples: AtomicUsize,
}

impl FakeServer {
    pub(crate) fn new(manner: Behavior) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), manner)
    }

    pub(crate) fn at(address: SocketAddr, manner: Behavior) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if seen.ended.load(Ordering::SeqCst) {
                    break;
                }
                // One connection at a time: a device sends one request at a time.
                let _ = answer(&connection, manner, &seen);
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of requests.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The number of requests that would have delivered a sample.
    pub(crate) fn samples(&self) -> usize {
        self.shared.samples.load(Ordering::SeqCst)
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        // Once the thread is over, the address is free for the collector.
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Answers one request and closes.
fn answer(mut connection: &TcpStream, manner: Behavior, seen: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    seen.requests.fetch_add(1, Ordering::SeqCst);
    if line.starts_with("PUT /v1/samples/") {
        seen.samples.fetch_add(1, Ordering::SeqCst);
    }
    if manner == Behavior::ClosesEarly {
        return Ok(());
    }
    let mut length = 0;
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line)?;
        if let Some(named) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = named.trim().parse().unwrap();
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    connection.write_all(manner.answer().as_bytes())
}
