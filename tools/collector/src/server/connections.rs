//! Limits the number of connections, in total and per peer.
//!
//! A connection is idle while it has no request in progress: before the first request, while the head of a request is
//! incomplete, and between two requests. At a limit, the connection that has been idle the longest is closed in favor
//! of the new one. Idle connections therefore cannot block other clients, and no request in progress is aborted.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

/// The connections of one listener.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    max: usize,
    max_per_peer: usize,
    slots: Mutex<Vec<Arc<Slot>>>,
    released: Notify,
}

#[derive(Debug)]
struct Slot {
    peer: IpAddr,
    state: Mutex<State>,
    evicted: Notify,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle(Instant),
    /// The number of requests in progress.
    Busy(u32),
    /// The connection is being closed in favor of another one.
    Evicted,
}

/// The slot of a connection, which is released on drop.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    limiter: Arc<ConnectionLimiter>,
    slot: Arc<Slot>,
}

/// A request in progress. Its connection is not evicted until this is dropped.
#[derive(Debug)]
pub(crate) struct RequestGuard(Arc<Slot>);

/// All slots are occupied by busy connections.
struct Full;

impl ConnectionLimiter {
    /// Allows `max` connections in total and `max_per_peer` for one peer. Connections from this machine, such as those
    /// of a local proxy, count only against `max`.
    pub(crate) fn new(max: usize, max_per_peer: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_peer,
            slots: Mutex::default(),
            released: Notify::new(),
        })
    }

    /// Waits for a slot for a connection of `peer`. `None` if all connections that the peer may have are busy.
    pub(crate) async fn acquire(self: &Arc<Self>, peer: IpAddr) -> Option<ConnectionSlot> {
        let peer = peer_prefix(peer);
        loop {
            let released = self.released.notified();
            match self.try_acquire(peer) {
                Ok(slots) => return slots,
                Err(Full) => released.await,
            }
        }
    }

    fn try_acquire(self: &Arc<Self>, peer: IpAddr) -> Result<Option<ConnectionSlot>, Full> {
        let mut slots = self.lock();
        let is_of_peer = |slot: &Slot| slot.peer == peer;
        let of_peer = slots.iter().filter(|slot| is_of_peer(slot)).count();
        let is_at_limit = !peer.is_loopback() && of_peer >= self.max_per_peer;
        if is_at_limit && !evict_idlest(&mut slots, is_of_peer) {
            return Ok(None);
        }
        if slots.len() >= self.max && !evict_idlest(&mut slots, |_| true) {
            return Err(Full);
        }
        let slot = Arc::new(Slot {
            peer,
            state: Mutex::new(State::Idle(Instant::now())),
            evicted: Notify::new(),
        });
        slots.push(slot.clone());
        Ok(Some(ConnectionSlot {
            limiter: self.clone(),
            slot,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the matching connection that has been idle the longest. Returns whether there was one.
fn evict_idlest(slots: &mut Vec<Arc<Slot>>, matches: impl Fn(&Slot) -> bool) -> bool {
    let idle_since = |slot: &Slot| match *slot.lock() {
        State::Idle(since) => Some(since),
        State::Busy(_) | State::Evicted => None,
    };
    loop {
        let longest_idle = slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| matches(slot))
            .filter_map(|(at, slot)| Some((idle_since(slot)?, at)))
            .min();
        let Some((_, at)) = longest_idle else {
            return false;
        };
        // If a request has begun on it in the meantime, the search is repeated.
        if slots[at].evict() {
            slots.swap_remove(at);
            return true;
        }
    }
}

impl Slot {
    fn evict(&self) -> bool {
        let mut state = self.lock();
        let is_idle = matches!(*state, State::Idle(_));
        if is_idle {
            *state = State::Evicted;
            self.evicted.notify_one();
        }
        is_idle
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSlot {
    /// Registers a request; `None` if the connection has just been evicted.
    pub(crate) fn begin_request(&self) -> Option<RequestGuard> {
        let mut state = self.slot.lock();
        *state = match *state {
            State::Idle(_) => State::Busy(1),
            State::Busy(many) => State::Busy(many + 1),
            State::Evicted => return None,
        };
        Some(RequestGuard(self.slot.clone()))
    }

    /// Completes when the connection is evicted.
    pub(crate) async fn evicted(&self) {
        self.slot.evicted.notified().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut slots = self.limiter.lock();
        slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
        drop(slots);
        self.limiter.released.notify_one();
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        *state = match *state {
            State::Busy(many) if many > 1 => State::Busy(many - 1),
            State::Busy(_) | State::Idle(_) => State::Idle(Instant::now()),
            State::Evicted => State::Evicted,
        };
    }
}

/// The prefix by which connections are counted: an IPv4 address, or an IPv6 /64, which is one link (RFC 4291).
fn peer_prefix(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn is_closed(slots: &ConnectionSlot) -> bool {
        slots.evicted().now_or_never().is_some()
    }

    #[tokio::test]
    async fn the_longest_idle_connection_is_evicted() {
        let places = ConnectionLimiter::new(3, 3);
        let busy = places.acquire(peer(1)).await.unwrap();
        let serving = busy.begin_request().unwrap();
        let first = places.acquire(peer(2)).await.unwrap();
        let second = places.acquire(peer(3)).await.unwrap();
        // After a request on the first, the second has been idle longer.
        drop(first.begin_request());
        let third = places.acquire(peer(4)).await.unwrap();
        assert!(is_closed(&second) && second.begin_request().is_none());
        assert!(!is_closed(&busy) && !is_closed(&first) && !is_closed(&third));
        let kept = [
            first.begin_request().unwrap(),
            third.begin_request().unwrap(),
        ];
        assert!(places.acquire(peer(5)).now_or_never().is_none());
        drop(kept);
        assert!(places.acquire(peer(5)).now_or_never().flatten().is_some());
        drop(serving);
    }

    #[tokio::test]
    async fn connections_per_peer_are_limited() {
        let places = ConnectionLimiter::new(100, 2);
        let mut max_per_peer = Vec::new();
        for _ in 0..50 {
            max_per_peer.push(places.acquire(peer(1)).await.unwrap());
        }
        assert_eq!(
            max_per_peer.iter().filter(|slots| is_closed(slots)).count(),
            48
        );
        let _serving = [
            max_per_peer[48].begin_request().unwrap(),
            max_per_peer[49].begin_request().unwrap(),
        ];
        assert!(places.acquire(peer(1)).await.is_none());
        assert!(places.acquire(peer(2)).await.is_some());
    }

    #[test]
    fn a_peer_is_an_ipv4_address_or_an_ipv6_link() {
        let site = |address: &str| peer_prefix(address.parse().unwrap());
        assert_eq!(site("2001:db8::1"), site("2001:db8::ffff:1"));
        assert_ne!(site("2001:db8::1"), site("2001:db8:0:1::1"));
        assert_ne!(site("192.0.2.1"), site("192.0.2.2"));
        assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
        assert!(site("::1").is_loopback() && site("::ffff:127.0.0.1").is_loopback());
    }
}
