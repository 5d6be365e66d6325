//! The load generator: HTTP/1.1 over keep-alive connections, with requests prepared in advance. It
//! shares the processors with the measured service, so it does as little work as possible.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// The bytes of a request.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Arc<[u8]>,
}

/// Requests, each of which is sent once.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Vec<Prepared>,
    next: AtomicUsize,
}

/// The times at which requests are sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection sends the next request after the last response. Latency is measured from sending.
    Fastest,
    /// A fixed rate per second, independent of responses. Latency is measured from the scheduled time
    /// of a request, so that a stall counts for all delayed requests.
    PerSecond(f64),
}

/// The result of a run.
#[derive(Default)]
pub(crate) struct Stats {
    /// Latencies of successful requests, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// Counts of unsuccessful responses.
    pub(crate) failures: usize,
    pub(crate) first_failure: Option<String>,
    pub(crate) elapsed: Duration,
}

impl Stats {
    /// Successful requests per second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// A quantile of the latency, in milliseconds.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (last as f64 * share).round() as usize;
        self.latencies
            .get(place)
            .map_or(f64::NAN, |it| it.as_secs_f64() * 1e3)
    }
}

impl Load {
    pub(crate) fn new(address: SocketAddr, requests: Vec<Prepared>) -> Arc<Self> {
        let next = AtomicUsize::new(0);
        Arc::new(Self {
            address,
            requests,
            next,
        })
    }

    /// The number of unsent requests.
    pub(crate) fn left(&self) -> usize {
        self.requests
            .len()
            .saturating_sub(self.next.load(Ordering::Relaxed))
    }

    /// Sends requests for `time` over a number of connections.
    pub(crate) async fn run(
        self: &Arc<Self>,
        connections: usize,
        pace: Pace,
        time: Duration,
    ) -> Stats {
        let start = Instant::now();
        let schedule = Schedule {
            start,
            end: start + time,
            first: self.next.load(Ordering::Relaxed),
            pace,
        };
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let load = self.clone();
            tasks.spawn(async move { load.connection(schedule).await });
        }
        let mut all = Stats::default();
        for own in tasks.join_all().await {
            all.latencies.extend(own.latencies);
            all.failures += own.failures;
            all.first_failure = all.first_failure.or(own.first_failure);
        }
        all.elapsed = start.elapsed();
        all.latencies.sort();
        all
    }

    async fn connection(&self, schedule: Schedule) -> Stats {
        let mut stats = Stats::default();
        let mut stream = None;
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let began = schedule.due(index);
            let Some(request) = self.requests.get(index) else {
                return stats;
            };
            if began >= schedule.end {
                return stats;
            }
            sleep_until(began).await;
            match exchange(self.address, &mut stream, request).await {
                Ok(200..300) => stats.latencies.push(began.elapsed()),
                other => {
                    stream = None;
                    stats.failures += 1;
                    stats.first_failure.get_or_insert(match other {
                        Ok(status) => format!("status {status}"),
                        Err(error) => error.to_string(),
                    });
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Schedule {
    start: Instant,
    end: Instant,
    first: usize,
    pace: Pace,
}

impl Schedule {
    fn due(&self, index: usize) -> Instant {
        match self.pace {
            Pace::Fastest => Instant::now(),
            Pace::PerSecond(rate) => {
                let number = index.saturating_sub(self.first) as f64;
                self.start + Duration::from_secs_f64(number / rate)
            }
        }
    }
}

/// Sends one request and reads the response on a keep-alive connection.
async fn exchange(
    address: SocketAddr,
    kept: &mut Option<TcpStream>,
    request: &Prepared,
) -> io::Result<u16> {
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => TcpStream::connect(address).await?,
    };
    stream.set_nodelay(true)?;
    stream.write_all(&request.head).await?;
    stream.write_all(&request.body).await?;
    let mut answer = Vec::with_capacity(1024);
    let (status, is_kept) = loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(whole) = whole_answer(&answer) {
            break whole;
        }
    };
    if is_kept {
        *kept = Some(stream);
    }
    Ok(status)
}

/// The status, and whether the connection is kept open, when the response is complete.
fn whole_answer(bytes: &[u8]) -> Option<(u16, bool)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end])
        .ok()?
        .to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    let is_kept = !head.contains("connection: close");
    (bytes.len() >= end + 4 + length).then_some((status, is_kept))
}
