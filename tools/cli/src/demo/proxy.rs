//! A proxy between a device and the collector that counts connections and bytes.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// The maximum idle time of a connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Counts connections and bytes, and forwards them unless it is cut. It ends with the process.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    is_cut: AtomicBool,
    connections: AtomicU64,
    bytes_up: AtomicU64,
}

impl Proxy {
    /// Listens on a free port and forwards to `collector`.
    pub(super) fn start(collector: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let proxy = Self {
            address: listener.local_addr()?,
            counts: Arc::default(),
        };
        let counts = Arc::clone(&proxy.counts);
        thread::Builder::new()
            .name("demo-proxy".to_owned())
            .spawn(move || {
                for device in listener.incoming().flatten() {
                    // The connection is closed before the device can send.
                    if counts.is_cut.load(Ordering::SeqCst) {
                        continue;
                    }
                    counts.connections.fetch_add(1, Ordering::SeqCst);
                    let counts = Arc::clone(&counts);
                    // If the connection to the collector fails, the device's connection is closed.
                    let _ = thread::Builder::new().spawn(move || pass(&device, collector, &counts));
                }
            })?;
        Ok(proxy)
    }

    /// The URL that the device uses as its collector's.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes the device offline: connections are refused.
    pub(super) fn cut(&self) {
        self.counts.is_cut.store(true, Ordering::SeqCst);
    }

    /// Puts the device online again.
    pub(super) fn restore(&self) {
        self.counts.is_cut.store(false, Ordering::SeqCst);
    }

    /// Connections that the device made.
    pub(super) fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Bytes that left the device.
    pub(super) fn bytes_up(&self) -> u64 {
        self.counts.bytes_up.load(Ordering::SeqCst)
    }
}

fn pass(device: &TcpStream, collector: SocketAddr, counts: &Counts) -> io::Result<()> {
    let collector = TcpStream::connect(collector)?;
    for side in [device, &collector] {
        side.set_read_timeout(Some(IDLE_TIMEOUT))?;
        side.set_nodelay(true)?;
    }
    thread::scope(|scope| {
        scope.spawn(|| copy(&collector, device, None));
        copy(device, &collector, Some(&counts.bytes_up));
    });
    Ok(())
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, count: Option<&AtomicU64>) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if let Some(count) = count {
            count.fetch_add(length as u64, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
