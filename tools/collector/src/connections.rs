//! Places for connections: how many there are, how many one peer may have, and who makes room.
//!
//! A connection is idle while no request on it is being served: nothing was said on it yet, or not all headers of a
//! request, or it is kept open between two. Where all places are taken, or all that one peer may have, the connection
//! that has been idle for longest is closed for the new one. So connections on which nothing is said shut nobody out,
//! and no request that is being served is cut for a new one.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

/// The places of one listener.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    most: usize,
    of_one: usize,
    taken: Mutex<Vec<Arc<Slot>>>,
    freed: Notify,
}

#[derive(Debug)]
struct Slot {
    peer: IpAddr,
    state: Mutex<State>,
    closed: Notify,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle(Instant),
    /// So many requests are being served.
    Busy(u32),
    /// It made room for another.
    Closed,
}

/// A connection's place, free again once this is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    places: Arc<ConnectionLimiter>,
    place: Arc<Slot>,
}

/// A request that is being served. Until this is dropped, its connection makes no room.
#[derive(Debug)]
pub(crate) struct RequestGuard(Arc<Slot>);

/// All places are taken by connections on which requests are being served.
struct Full;

impl ConnectionLimiter {
    /// `most` in all, and `of_one` for one peer; this machine's own connections, proxies' among them, are bounded by
    /// `most` alone.
    pub(crate) fn new(most: usize, of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            of_one,
            taken: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// A place for a connection of `peer`, once there is one; `None` where requests are being served on all that the
    /// peer may have.
    pub(crate) async fn acquire(self: &Arc<Self>, peer: IpAddr) -> Option<ConnectionSlot> {
        let peer = peer_prefix(peer);
        loop {
            let freed = self.freed.notified();
            match self.try_acquire(peer) {
                Ok(taken) => return taken,
                Err(Full) => freed.await,
            }
        }
    }

    fn try_acquire(self: &Arc<Self>, peer: IpAddr) -> Result<Option<ConnectionSlot>, Full> {
        let mut taken = self.lock();
        let is_peers = |place: &Slot| place.peer == peer;
        let of_peer = taken.iter().filter(|place| is_peers(place)).count();
        let is_over = !peer.is_loopback() && of_peer >= self.of_one;
        if is_over && !evict_idlest(&mut taken, is_peers) {
            return Ok(None);
        }
        if taken.len() >= self.most && !evict_idlest(&mut taken, |_| true) {
            return Err(Full);
        }
        let place = Arc::new(Slot {
            peer,
            state: Mutex::new(State::Idle(Instant::now())),
            closed: Notify::new(),
        });
        taken.push(place.clone());
        Ok(Some(ConnectionSlot {
            places: self.clone(),
            place,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the connection that has been idle for longest among those that are meant. Whether there was one.
fn evict_idlest(taken: &mut Vec<Arc<Slot>>, is_meant: impl Fn(&Slot) -> bool) -> bool {
    let idle_since = |place: &Slot| match *place.lock() {
        State::Idle(since) => Some(since),
        State::Busy(_) | State::Closed => None,
    };
    loop {
        let idlest = taken
            .iter()
            .enumerate()
            .filter(|(_, place)| is_meant(place))
            .filter_map(|(at, place)| Some((idle_since(place)?, at)))
            .min();
        let Some((_, at)) = idlest else {
            return false;
        };
        // A request may have begun on it meanwhile; then another one is looked for.
        if taken[at].evict() {
            taken.swap_remove(at);
            return true;
        }
    }
}

impl Slot {
    fn evict(&self) -> bool {
        let mut state = self.lock();
        let is_idle = matches!(*state, State::Idle(_));
        if is_idle {
            *state = State::Closed;
            self.closed.notify_one();
        }
        is_idle
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSlot {
    /// A request begins; `None` where the connection has just made room for another.
    pub(crate) fn begin_request(&self) -> Option<RequestGuard> {
        let mut state = self.place.lock();
        *state = match *state {
            State::Idle(_) => State::Busy(1),
            State::Busy(many) => State::Busy(many + 1),
            State::Closed => return None,
        };
        Some(RequestGuard(self.place.clone()))
    }

    /// Ends when the connection is to make room for another.
    pub(crate) async fn evicted(&self) {
        self.place.closed.notified().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.retain(|place| !Arc::ptr_eq(place, &self.place));
        drop(taken);
        self.places.freed.notify_one();
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        *state = match *state {
            State::Busy(many) if many > 1 => State::Busy(many - 1),
            State::Busy(_) | State::Idle(_) => State::Idle(Instant::now()),
            State::Closed => State::Closed,
        };
    }
}

/// Whose connections are counted together: an address of IPv4, a /64 of IPv6, which is one link's (RFC 4291).
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

    fn is_closed(taken: &ConnectionSlot) -> bool {
        taken.evicted().now_or_never().is_some()
    }

    #[tokio::test]
    async fn the_connection_that_was_idle_for_longest_makes_room_and_no_busy_one_does() {
        let places = ConnectionLimiter::new(3, 3);
        let busy = places.acquire(peer(1)).await.unwrap();
        let serving = busy.begin_request().unwrap();
        let first = places.acquire(peer(2)).await.unwrap();
        let second = places.acquire(peer(3)).await.unwrap();
        // One request later, the first has been idle for less long than the second.
        drop(first.begin_request());
        let third = places.acquire(peer(4)).await.unwrap();
        assert!(is_closed(&second) && second.begin_request().is_none());
        assert!(!is_closed(&busy) && !is_closed(&first) && !is_closed(&third));
        let kept = [first.begin_request().unwrap(), third.begin_request().unwrap()];
        assert!(places.acquire(peer(5)).now_or_never().is_none());
        drop(kept);
        assert!(places.acquire(peer(5)).now_or_never().flatten().is_some());
        drop(serving);
    }

    #[tokio::test]
    async fn a_peer_takes_no_more_than_its_part() {
        let places = ConnectionLimiter::new(100, 2);
        let mut of_one = Vec::new();
        for _ in 0..50 {
            of_one.push(places.acquire(peer(1)).await.unwrap());
        }
        assert_eq!(of_one.iter().filter(|taken| is_closed(taken)).count(), 48);
        let _serving = [of_one[48].begin_request().unwrap(), of_one[49].begin_request().unwrap()];
        assert!(places.acquire(peer(1)).await.is_none());
        assert!(places.acquire(peer(2)).await.is_some());
    }

    #[test]
    fn a_link_is_one_peer_and_so_is_an_address() {
        let site = |address: &str| peer_prefix(address.parse().unwrap());
        assert_eq!(site("2001:db8::1"), site("2001:db8::ffff:1"));
        assert_ne!(site("2001:db8::1"), site("2001:db8:0:1::1"));
        assert_ne!(site("192.0.2.1"), site("192.0.2.2"));
        assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
        assert!(site("::1").is_loopback() && site("::ffff:127.0.0.1").is_loopback());
    }
}
