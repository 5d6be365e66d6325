//! The client's network, which is known only while its request is handled.
//!
//! Behind proxies, the peer address is that of the last proxy. Each proxy appends the address that it saw to a header;
//! earlier entries may be forged by the client. With N trusted proxies, the client is therefore the Nth entry from the
//! end.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::config::{Proxies, ProxyHeader};

/// The peer address of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The network prefix of a client, which shares one rate-limit bucket.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    /// /24.
    V4([u8; 3]),
    /// /48: the prefix of a site (RFC 6177).
    V6([u8; 6]),
    /// The request came through the trusted proxies, but their header has no usable address. All such requests share
    /// one bucket.
    Unknown,
}

/// The network of a request. `None` for this machine: the operator, or an undeclared local proxy, for which all clients
/// would share one bucket.
pub(crate) fn network(peer: Peer, headers: &HeaderMap, proxies: Proxies) -> Option<Network> {
    let address = match forwarded_for(headers, proxies) {
        // Without this case, a local proxy that omits the header would disable the limits.
        Forwarded::Absent if proxies.trusted > 0 && peer.0.to_canonical().is_loopback() => {
            return Some(Network::Unknown);
        }
        Forwarded::Absent => peer.0.to_canonical(),
        Forwarded::Address(address) => address,
        Forwarded::Invalid => return Some(Network::Unknown),
    };
    match address {
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

/// Whether the request has a forwarding header, that is, came through an undeclared proxy.
pub(crate) fn has_forwarding_header(headers: &HeaderMap) -> bool {
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

/// The content of the trusted proxies' header.
enum Forwarded {
    /// There are no proxies, or the request bypassed them.
    Absent,
    /// The address that the outermost proxy saw.
    Address(IpAddr),
    /// The header contains no valid address.
    Invalid,
}

fn forwarded_for(headers: &HeaderMap, proxies: Proxies) -> Forwarded {
    let Some(from_end) = usize::from(proxies.trusted).checked_sub(1) else {
        return Forwarded::Absent;
    };
    let lines = headers.get_all(proxies.header.name());
    if lines.iter().next().is_none() {
        return Forwarded::Absent;
    }
    // Lines are split as bytes, so that invalid text in the client's own entries has no effect. An address contains no
    // comma, so splitting within a quoted string affects only invalid entries.
    let entries = lines
        .iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    let entry = entries.rev().nth(from_end);
    let entry = entry.and_then(|entry| str::from_utf8(entry).ok());
    let address = entry.and_then(|entry| match proxies.header {
        ProxyHeader::XForwardedFor => parse_address(entry.trim()),
        ProxyHeader::Forwarded => entry.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let is_for = name.trim().eq_ignore_ascii_case("for");
            is_for.then(|| parse_address(value.trim()))?
        }),
    });
    address.map_or(Forwarded::Invalid, Forwarded::Address)
}

/// Parses an address with or without quotes, brackets and a port.
fn parse_address(node: &str) -> Option<IpAddr> {
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
    use axum::http::HeaderValue;

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
    fn networks_are_24_or_48_prefixes_and_loopback_is_exempt() {
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
    fn headers_are_ignored_without_trusted_proxies() {
        let lines = [
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
        ];
        let network = of("198.51.100.1", 0, ProxyHeader::default(), &lines);
        assert!(network == Some(Network::V4([198, 51, 100])));
    }

    #[test]
    fn forged_entries_precede_those_of_proxies() {
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

    /// The examples of RFC 7239 sections 4 and 6, and invalid addresses.
    #[test]
    fn forwarded_is_parsed_as_rfc_7239_defines() {
        let v4 = Some(Network::V4([192, 0, 2]));
        let v6 = Some(Network::V6([0x20, 0x01, 0x0d, 0xb8, 0xca, 0xfe]));
        let unnamed = Some(Network::Unknown);
        for (value, network) in [
            ("for=192.0.2.43", v4),
            ("For=\"[2001:db8:cafe::17]:4711\"", v6),
            ("for=\"[2001:db8:cafe::17]\"", v6),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", v4),
            ("for=203.0.113.1, proto=https; for=\"192.0.2.43:47011\"", v4),
            ("for=unknown", unnamed),
            ("for=_hidden", unnamed),
            ("by=192.0.2.1", unnamed),
            ("", unnamed),
        ] {
            let lines = [("forwarded", value)];
            let found = of("10.0.0.1", 1, ProxyHeader::Forwarded, &lines);
            assert!(found == network, "{value}");
        }
    }

    #[test]
    fn an_invalid_header_is_not_exempt() {
        let x = ProxyHeader::XForwardedFor;
        for value in [
            b"192.0.2.1, \xe9".as_slice(),
            b"\xff",
            b"",
            b",",
            b"192.0.2.1,",
            b"192.0.2",
            b"localhost",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(value).unwrap());
            for peer in ["127.0.0.1", "10.0.0.1"] {
                let proxies = Proxies {
                    trusted: 1,
                    header: x,
                };
                let found = network(Peer(peer.parse().unwrap()), &headers, proxies);
                assert!(found == Some(Network::Unknown), "{value:?}");
            }
        }
        // Two proxies were to have written; only one did.
        let one = [("x-forwarded-for", "192.0.2.1")];
        assert!(of("127.0.0.1", 2, x, &one) == Some(Network::Unknown));
        // Bytes that a client put in front do no harm.
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"\xff\xfe, 192.0.2.1").unwrap();
        headers.insert("x-forwarded-for", value);
        let proxies = Proxies {
            trusted: 1,
            header: x,
        };
        let found = network(Peer("127.0.0.1".parse().unwrap()), &headers, proxies);
        assert!(found == Some(Network::V4([192, 0, 2])));
    }

    #[test]
    fn a_request_that_bypasses_proxies_uses_the_peer_address() {
        let x = ProxyHeader::XForwardedFor;
        assert!(of("127.0.0.1", 1, x, &[]) == Some(Network::Unknown));
        assert!(of("127.0.0.1", 0, x, &[]).is_none());
        assert!(of("198.51.100.1", 1, x, &[]) == Some(Network::V4([198, 51, 100])));
    }
}
