//! A SOCKS server: version 5 (RFC 1928) without authentication, version 4 with names (SOCKS4A).

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A SOCKS proxy that connects to one address whatever is requested, and records the requests. It ends with the
/// process.
pub(crate) struct Socks {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    pub(crate) fn leading_to(destination: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                thread::spawn(move || serve(connection, destination, &notes));
            }
        });
        Self { address, asked }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connections requested since the last call: `ADDRESS:PORT`, or `NAME:PORT` for names that are left to the
    /// server to resolve.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn serve(
    mut client: TcpStream,
    destination: SocketAddr,
    asked: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let (target, granted) = match read::<1>(&mut client)?[0] {
        5 => (five(&mut client)?, vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        _ => (four(&mut client)?, vec![0, 90, 0, 0, 0, 0, 0, 0]),
    };
    asked.lock().unwrap().push(target);
    let mut server = TcpStream::connect(destination)?;
    client.write_all(&granted)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Write)
}

fn five(client: &mut TcpStream) -> io::Result<String> {
    let [methods] = read(client)?;
    let mut offered = vec![0; methods.into()];
    client.read_exact(&mut offered)?;
    client.write_all(&[5, 0])?;
    let [_, _, _, kind] = read(client)?;
    let host = match kind {
        1 => Ipv4Addr::from(read::<4>(client)?).to_string(),
        4 => format!("[{}]", Ipv6Addr::from(read::<16>(client)?)),
        _ => {
            let [length] = read(client)?;
            let mut name = vec![0; length.into()];
            client.read_exact(&mut name)?;
            name.into_iter().map(char::from).collect()
        }
    };
    let port = u16::from_be_bytes(read(client)?);
    Ok(format!("{host}:{port}"))
}

fn four(client: &mut TcpStream) -> io::Result<String> {
    let [_, high, low] = read(client)?;
    let address: [u8; 4] = read(client)?;
    text(client)?;
    let host = match address {
        [0, 0, 0, _] => text(client)?,
        address => IpAddr::from(address).to_string(),
    };
    Ok(format!("{host}:{}", u16::from_be_bytes([high, low])))
}

/// Up to a zero.
fn text(client: &mut TcpStream) -> io::Result<String> {
    let mut text = String::new();
    loop {
        match read::<1>(client)? {
            [0] => return Ok(text),
            [byte] => text.push(byte.into()),
        }
    }
}

fn read<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}
