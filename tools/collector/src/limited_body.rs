//! Bodies as they arrive: bounded in size and in time.

use std::{
    future::poll_fn,
    pin::Pin,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, header},
};
use tokio::time::timeout;

use crate::{
    config::Limits,
    digest::Sha256,
    errors::{ProblemType, Problem},
};

/// How much of a refused body is still read, so that its sender gets to read the answer; a
/// connection closed on bytes under way would take the answer with it.
const MAX_DRAIN_BYTES: u64 = 8 << 20;
/// How long it is read for that.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// A body that is read piece by piece.
pub(crate) struct LimitedBody {
    body: Body,
    /// Bytes that may still come.
    left: u64,
    most: u64,
    idle: Duration,
    until: Instant,
    /// The sender waits for a sign before it sends anything.
    waits_for_sign: bool,
}

impl LimitedBody {
    /// The body of a request that may hold `most` bytes.
    pub(crate) fn new(headers: &HeaderMap, body: Body, most: u64, limits: &Limits) -> Self {
        Self {
            body,
            left: most,
            most,
            idle: limits.idle,
            until: Instant::now() + limits.whole_body,
            waits_for_sign: headers.contains_key(header::EXPECT),
        }
    }

    /// How many bytes it is said to have, at most as many as it may; as many as it may where it is not said.
    pub(crate) fn declared_bytes(&self) -> u64 {
        self.body
            .size_hint()
            .upper()
            .map_or(self.most, |bytes| bytes.min(self.most))
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// `too-large`, `too-slow`, or `malformed` where the body ends early.
    pub(crate) async fn next_chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        // A length that is stated needs not be waited for.
        if self.body.size_hint().lower() > self.left {
            return Err(self.too_large());
        }
        let Some(piece) = self.chunk().await? else {
            return Ok(None);
        };
        match self.left.checked_sub(piece.len() as u64) {
            Some(left) => self.left = left,
            None => return Err(self.too_large()),
        }
        Ok(Some(piece))
    }

    /// The whole of a small body.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) async fn read_all(&mut self) -> Result<Vec<u8>, Problem> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next_chunk().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// The whole of a small body, checked against the digest that was `stated`.
    ///
    /// # Errors
    /// As [`Self::next`], and `bad-digest`.
    pub(crate) async fn read_verified(&mut self, stated: Sha256) -> Result<Vec<u8>, Problem> {
        let whole = self.read_all().await?;
        Sha256::digest(&whole).verify(stated)?;
        Ok(whole)
    }

    /// Passes on an outcome; where it is a refusal, the rest of the body is read away first.
    pub(crate) async fn drain_and_respond<T>(mut self, outcome: Result<T, Problem>) -> Result<T, Problem> {
        if outcome.is_err() && !self.waits_for_sign {
            let drain = async {
                let mut drained = 0;
                while let Ok(Some(piece)) = self.chunk().await {
                    drained += piece.len() as u64;
                    if drained > MAX_DRAIN_BYTES {
                        break;
                    }
                }
            };
            // Whether it came to its end or not, the answer goes out.
            let _ = timeout(DRAIN_TIMEOUT, drain).await;
        }
        outcome
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        self.waits_for_sign = false;
        let too_slow = || ProblemType::TooSlow.with_detail("the body came too slowly; send it again");
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let body = &mut self.body;
            let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
            match timeout(left.min(self.idle), frame)
                .await
                .map_err(|_| too_slow())?
            {
                None => return Ok(None),
                Some(Err(_)) => {
                    return Err(ProblemType::Malformed.with_detail("the body ended early; send it again"));
                }
                // Trailers say nothing here.
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    fn too_large(&self) -> Problem {
        ProblemType::TooLarge.with_detail(format!("the body is larger than {} bytes", self.most))
    }
}
