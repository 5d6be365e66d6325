//! The reverse proxies in front of the collector.

/// The proxies in front of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Proxies {
    /// The number of chained proxies; with 0 the header is ignored.
    pub trusted: u8,
    /// The header that they set.
    pub header: ProxyHeader,
}

/// A header that contains the client's address. Only one is read, because a proxy forwards the client's value of the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, which most proxies set.
    #[default]
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
}
