//! `no_proxy`: the hosts that are reached without a proxy.
//!
//! The rules are those of Go's
//! [httpproxy](https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config), which has networks and ports too.

use std::net::IpAddr;

use ipnet::IpNet;

/// The entries of `no_proxy`.
#[derive(Clone, Debug, Default)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    hosts: Hosts,
    /// Only at this port.
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Hosts {
    All,
    Address(IpAddr),
    Network(IpNet),
    /// Names below this name; in lower case, with a leading dot.
    Below(String),
    /// This name and names below it; in the same form.
    NameAndBelow(String),
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    /// In lower case, without the trailing dot.
    Name(String),
}

impl NoProxy {
    /// Parses the variable's value. An invalid entry matches no host: a host is never reached
    /// directly because of an invalid entry.
    pub(super) fn new(value: &str) -> Self {
        let entries = value.split(|letter: char| letter == ',' || letter.is_ascii_whitespace());
        Self(entries.filter_map(Entry::new).collect())
    }

    pub(super) fn includes(&self, host: &Host, port: u16) -> bool {
        self.0
            .iter()
            .any(|entry| entry.port.is_none_or(|only| only == port) && entry.hosts.include(host))
    }
}

impl Entry {
    fn new(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        if text == "*" {
            let hosts = Hosts::All;
            return Some(Self { hosts, port: None });
        }
        if let Ok(network) = text.parse::<IpNet>() {
            let hosts = Hosts::Network(network);
            return Some(Self { hosts, port: None });
        }
        let (host, port) = split_port(&text)?;
        let hosts = match Host::new(host)? {
            Host::Address(address) => Hosts::Address(address),
            Host::Name(name) => {
                let name = name.strip_prefix('*').unwrap_or(&name);
                match name.starts_with('.') {
                    true => Hosts::Below(name.to_owned()),
                    false => Hosts::NameAndBelow(format!(".{name}")),
                }
            }
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn include(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Address(one), Host::Address(address)) => one == address,
            (Self::Network(network), Host::Address(address)) => network.contains(address),
            (Self::Below(domain), Host::Name(name)) => name.ends_with(domain),
            (Self::NameAndBelow(domain), Host::Name(name)) => {
                name.ends_with(domain) || domain[1..] == *name
            }
            _ => false,
        }
    }
}

impl Host {
    /// `text` without a port; brackets around an address may stay. `None` where it is empty.
    pub(super) fn new(text: &str) -> Option<Self> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        // The zone of a link-local address names an interface, which networks do not have.
        let address = bare.split('%').next().unwrap_or_default();
        if let Ok(address) = address.parse::<IpAddr>() {
            // An IPv4 address written as IPv6 is the same host.
            return Some(Self::Address(address.to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Name(name))
    }

    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

/// Host and port of `HOST`, `HOST:PORT`, `ADDRESS` or `[ADDRESS]:PORT`; `None` if the port is not a
/// number.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    // An IPv6 address without brackets has no port.
    if authority.parse::<IpAddr>().is_ok() {
        return Some((authority, None));
    }
    match authority.rsplit_once(':') {
        Some((_, rest)) if rest.ends_with(']') => Some((authority, None)),
        Some((host, "")) => Some((host, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((authority, None)),
    }
}
