//! Which network a request comes from, known only as long as the request is served.
//!
//! Behind proxies the connection's address is the last proxy's. Each of them adds the address that it
//! saw at the end of a header, and everything before may be the client's own invention; so with N
//! trusted proxies the client is the Nth entry from the end.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

/// The proxies in front of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Proxies {
    /// How many there are, one behind the other; 0 takes no header's word.
    pub trusted: u8,
    /// The header that they write.
    pub header: ProxyHeader,
}

/// A header in which proxies name the client. Only one is read: a proxy passes on what a client wrote
/// into the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, which most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
}

/// The address at the other end of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A network: whoever shares a prefix shares a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    /// /24.
    V4([u8; 3]),
    /// /48: what a site is given (RFC 6177).
    V6([u8; 6]),
}

/// The network of a request; `None` for this machine itself: whoever runs the collector, or a proxy
/// that is not named as one and would share one bucket among all.
pub(crate) fn network(peer: Peer, headers: &HeaderMap, proxies: Proxies) -> Option<Network> {
    match forwarded_for(headers, proxies).unwrap_or(peer.0.to_canonical()) {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some(Network::V4([a, b, c]))
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, ..] = address.octets();
            Some(Network::V6([a, b, c, d, e, f]))
        }
    }
}

/// Whether a proxy wrote its header that nobody said would be there.
pub(crate) fn names_a_proxy(headers: &HeaderMap) -> bool {
    [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded]
        .iter()
        .any(|header| headers.contains_key(header.name()))
}

impl ProxyHeader {
    fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => HeaderName::from_static("forwarded"),
        }
    }
}

/// What the outermost trusted proxy saw.
fn forwarded_for(headers: &HeaderMap, proxies: Proxies) -> Option<IpAddr> {
    let from_end = usize::from(proxies.trusted).checked_sub(1)?;
    let lines = headers.get_all(proxies.header.name());
    let lines = lines.iter().filter_map(|line| line.to_str().ok());
    let entries: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    // An address holds no comma, so splitting within a quoted string harms only what is no address.
    let entry = entries.iter().rev().nth(from_end)?;
    let node = match proxies.header {
        ProxyHeader::XForwardedFor => entry.trim(),
        ProxyHeader::Forwarded => entry.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("for")
                .then(|| value.trim())
        })?,
    };
    address(node)
}

/// An address as proxies write it: with or without quotes, brackets and a port.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim_matches('"');
    let bare = node
        .strip_prefix('[')
        .and_then(|node| node.strip_suffix(']'));
    let address = node
        .parse()
        .or_else(|_| node.parse::<SocketAddr>().map(|socket| socket.ip()))
        .or_else(|_| bare.unwrap_or("").parse::<Ipv6Addr>().map(IpAddr::V6));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, trusted: u8, header: ProxyHeader, lines: &[(&str, &str)]) -> Option<Network> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let peer = Peer(peer.parse().unwrap());
        network(peer, &headers, Proxies { trusted, header })
    }

    #[test]
    fn a_prefix_is_a_24_or_a_48_and_loopback_is_none() {
        let plain = |peer| of(peer, 0, ProxyHeader::default(), &[]);
        assert!(plain("192.0.2.1") == plain("192.0.2.200"));
        assert!(plain("192.0.2.1") != plain("192.0.3.1"));
        assert!(plain("192.0.2.1") == plain("::ffff:192.0.2.9"));
        assert!(plain("2001:db8:1:2::3") == plain("2001:db8:1:ffff::"));
        assert!(plain("2001:db8:1::") != plain("2001:db8:2::"));
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(plain(own).is_none());
        }
    }

    #[test]
    fn no_header_is_believed_unless_proxies_are_trusted() {
        let lines = [
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
        ];
        let told = of("198.51.100.1", 0, ProxyHeader::default(), &lines);
        assert!(told == Some(Network::V4([198, 51, 100])));
    }

    #[test]
    fn what_a_client_invents_stands_before_what_proxies_saw() {
        let seen = Some(Network::V4([192, 0, 2]));
        for (trusted, value) in [
            (1, "203.0.113.1, 192.0.2.1"),
            (1, "192.0.2.1:1234"),
            (2, "203.0.113.1, 203.0.113.2, 192.0.2.1, 198.51.100.7"),
        ] {
            let lines = [("x-forwarded-for", value)];
            assert!(of("10.0.0.1", trusted, ProxyHeader::XForwardedFor, &lines) == seen);
        }
        let two_lines = [
            ("x-forwarded-for", "203.0.113.1"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        assert!(of("10.0.0.1", 1, ProxyHeader::XForwardedFor, &two_lines) == seen);
        // The header that the proxies do not write is the client's.
        let both = [
            ("forwarded", "for=203.0.113.1"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        assert!(of("10.0.0.1", 1, ProxyHeader::XForwardedFor, &both) == seen);
    }

    /// The examples of RFC 7239 sections 4 and 6, and what is no address.
    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let v4 = Some(Network::V4([192, 0, 2]));
        let v6 = Some(Network::V6([0x20, 0x01, 0x0d, 0xb8, 0xca, 0xfe]));
        let proxy = Some(Network::V4([10, 0, 0]));
        for (value, network) in [
            ("for=192.0.2.43", v4),
            ("For=\"[2001:db8:cafe::17]:4711\"", v6),
            ("for=\"[2001:db8:cafe::17]\"", v6),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", v4),
            ("for=203.0.113.1, proto=https; for=\"192.0.2.43:47011\"", v4),
            ("for=unknown", proxy),
            ("for=_hidden", proxy),
            ("by=192.0.2.1", proxy),
            ("", proxy),
        ] {
            let lines = [("forwarded", value)];
            let found = of("10.0.0.1", 1, ProxyHeader::Forwarded, &lines);
            assert!(found == network, "{value}");
        }
    }
}
