//! Limits of requests, connections and rates.

use std::time::Duration;

/// Limits on size, time and number of requests and connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum size of a sample, in bytes.
    pub sample_bytes: u64,
    /// The maximum size of a JSON body, in bytes.
    pub json_bytes: u64,
    /// The timeout for a request's headers.
    pub headers: Duration,
    /// The timeout for the next chunk of a body.
    pub idle: Duration,
    /// The timeout for a whole body.
    pub whole_body: Duration,
    /// The timeout for a TLS handshake.
    pub handshake: Duration,
    /// The timeout for a blocked write of a response.
    pub write: Duration,
    /// The maximum number of connections. At the limit, the one that has been idle the longest is closed; if all are
    /// busy, new ones wait.
    pub connections: usize,
    /// The maximum number of connections per peer: an IPv4 address or an IPv6 /64. It has no effect on connections from
    /// this machine or with trusted [`Config::proxies`](super::Config::proxies).
    pub connections_per_peer: usize,
    /// The maximum total size of concurrent uploads, in bytes. At the limit, an upload waits for `idle` and is then
    /// asked to retry.
    pub upload_bytes: u32,
    /// The time during which connections are accepted after `/readyz` reports the shutdown, so that load balancers
    /// notice.
    pub drain: Duration,
    /// The maximum time that the shutdown waits for requests in progress before it aborts them.
    pub grace: Duration,
}

/// A burst and a sustained rate of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The maximum burst; 0 disables the limit.
    pub burst: u32,
    /// The sustained number of requests per second; at least 1.
    pub per_second: u32,
}

/// The rate limits of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Per network: an IPv4 /24 or an IPv6 /48.
    pub network: Rate,
    /// Per consent record.
    pub record: Rate,
}

impl Default for RateLimits {
    /// A class of 30 tablets behind one address, each with 50 pending requests after holidays, makes 1500 requests; one
    /// record sends a few dozen samples a day.
    fn default() -> Self {
        Self {
            network: Rate {
                burst: 3000,
                per_second: 50,
            },
            record: Rate {
                burst: 1000,
                per_second: 5,
            },
        }
    }
}

impl Default for Limits {
    /// A sample has some 200 kB, a record some 1 kB; a slow phone needs a minute for a sample.
    fn default() -> Self {
        Self {
            sample_bytes: 1 << 20,
            json_bytes: 64 << 10,
            headers: Duration::from_secs(15),
            idle: Duration::from_secs(15),
            whole_body: Duration::from_secs(120),
            handshake: Duration::from_secs(10),
            write: Duration::from_secs(15),
            connections: 1024,
            connections_per_peer: 128,
            upload_bytes: 64 << 20,
            drain: Duration::ZERO,
            grace: Duration::from_secs(10),
        }
    }
}
