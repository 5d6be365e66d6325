//! The line between a device and its collector: it records what passes, can be cut, and can garble.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// A proxy for one device. The device finds a cut line broken: its connections are closed unheard.
pub(crate) struct RecordingProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    collector: SocketAddr,
    cut: AtomicBool,
    garbles: AtomicBool,
    ended: AtomicBool,
    connections: AtomicUsize,
    sent: Mutex<Vec<u8>>,
}

impl RecordingProxy {
    pub(crate) fn new(collector: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            collector,
            cut: AtomicBool::new(false),
            garbles: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            sent: Mutex::default(),
        });
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for device in listener.incoming().flatten() {
                    if shared.ended.load(Ordering::SeqCst) {
                        break;
                    }
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    if !shared.cut.load(Ordering::SeqCst) {
                        let shared = Arc::clone(&shared);
                        thread::spawn(move || shared.pass(&device));
                    }
                }
            }
        });
        Self { address, shared }
    }

    /// The URL that the device uses as its collector's.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of connections of the device.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Every byte that left the device.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.shared.sent.lock().unwrap().clone()
    }

    /// Refuses connections from now on.
    pub(crate) fn cut(&self) {
        self.shared.cut.store(true, Ordering::SeqCst);
    }

    /// Flips one bit of each sample from now on.
    pub(crate) fn garble(&self) {
        self.shared.garbles.store(true, Ordering::SeqCst);
    }

    /// Forwards everything unchanged from now on.
    pub(crate) fn restore(&self) {
        self.shared.garbles.store(false, Ordering::SeqCst);
        self.shared.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for RecordingProxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn pass(&self, device: &TcpStream) {
        let Ok(collector) = TcpStream::connect(self.collector) else {
            return;
        };
        thread::scope(|scope| {
            scope.spawn(|| copy(&collector, device, |_| ()));
            copy(device, &collector, |bytes| {
                self.sent.lock().unwrap().extend_from_slice(bytes);
                if self.garbles.load(Ordering::SeqCst) {
                    garble(bytes);
                }
            });
        });
    }
}

/// Flips a bit near the beginning of an age file.
fn garble(bytes: &mut [u8]) {
    const BEGINNING: &[u8] = b"age-encryption.org/v1";
    if let Some(at) = memchr::memmem::find(bytes, BEGINNING) {
        bytes[at + BEGINNING.len() - 1] ^= 1;
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, pass: impl Fn(&mut [u8])) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        pass(&mut buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
