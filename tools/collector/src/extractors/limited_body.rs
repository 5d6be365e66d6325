//! Request bodies with limits on size and time.

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
    errors::{Problem, ProblemType},
};

/// The maximum part of a rejected body that is read and discarded. Closing the connection with unread data could
/// discard the response before the client reads it.
const MAX_DRAIN_BYTES: u64 = 8 << 20;
/// The maximum time for that.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// A body that is read in chunks.
pub(crate) struct LimitedBody {
    body: Body,
    /// The remaining number of bytes.
    remaining: u64,
    max_bytes: u64,
    idle: Duration,
    deadline: Instant,
    /// The client waits for `100 Continue` before it sends the body.
    expects_continue: bool,
}

impl LimitedBody {
    /// The body of a request, limited to `max_bytes`.
    pub(crate) fn new(headers: &HeaderMap, body: Body, max_bytes: u64, limits: &Limits) -> Self {
        Self {
            body,
            remaining: max_bytes,
            max_bytes,
            idle: limits.idle,
            deadline: Instant::now() + limits.whole_body,
            expects_continue: headers.contains_key(header::EXPECT),
        }
    }

    /// The body of a request with JSON.
    pub(crate) fn json(headers: &HeaderMap, body: Body, limits: &Limits) -> Self {
        Self::new(headers, body, limits.json_bytes, limits)
    }

    /// The body of a request with a sample.
    pub(crate) fn sample(headers: &HeaderMap, body: Body, limits: &Limits) -> Self {
        Self::new(headers, body, limits.sample_bytes, limits)
    }

    /// The declared length, or the limit if none is declared or the declared length exceeds it.
    pub(crate) fn declared_bytes(&self) -> u64 {
        self.body
            .size_hint()
            .upper()
            .map_or(self.max_bytes, |bytes| bytes.min(self.max_bytes))
    }

    /// Reads the next chunk; `None` at the end.
    ///
    /// # Errors
    /// `too-large`, `too-slow`, or `malformed` if the body ends early.
    pub(crate) async fn next_chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        // A declared length is rejected before the data arrives.
        if self.body.size_hint().lower() > self.remaining {
            return Err(self.too_large());
        }
        let Some(chunk) = self.chunk().await? else {
            return Ok(None);
        };
        match self.remaining.checked_sub(chunk.len() as u64) {
            Some(left) => self.remaining = left,
            None => return Err(self.too_large()),
        }
        Ok(Some(chunk))
    }

    /// Reads a whole small body.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) async fn read_all(&mut self) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.next_chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Reads a whole small body and verifies its digest.
    ///
    /// # Errors
    /// As [`Self::next`], and `bad-digest`.
    pub(crate) async fn read_verified(&mut self, stated: Sha256) -> Result<Vec<u8>, Problem> {
        let bytes = self.read_all().await?;
        Sha256::digest(&bytes).verify(stated)?;
        Ok(bytes)
    }

    /// Returns an outcome. If it is an error, the rest of the body is drained first.
    pub(crate) async fn drain_and_respond<T>(
        mut self,
        outcome: Result<T, Problem>,
    ) -> Result<T, Problem> {
        if outcome.is_err() && !self.expects_continue {
            let drain = async {
                let mut drained = 0;
                while let Ok(Some(chunk)) = self.chunk().await {
                    drained += chunk.len() as u64;
                    if drained > MAX_DRAIN_BYTES {
                        break;
                    }
                }
            };
            // The response is sent in either case.
            let _ = timeout(DRAIN_TIMEOUT, drain).await;
        }
        outcome
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        self.expects_continue = false;
        let too_slow =
            || ProblemType::TooSlow.with_detail("the body arrived too slowly; send it again");
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let body = &mut self.body;
            let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
            match timeout(left.min(self.idle), frame)
                .await
                .map_err(|_| too_slow())?
            {
                None => return Ok(None),
                Some(Err(_)) => {
                    return Err(
                        ProblemType::Malformed.with_detail("the body ended early; send it again")
                    );
                }
                // Trailers are ignored.
                Some(Ok(frame)) => {
                    if let Ok(chunk) = frame.into_data() {
                        return Ok(Some(chunk));
                    }
                }
            }
        }
    }

    fn too_large(&self) -> Problem {
        ProblemType::TooLarge
            .with_detail(format!("the body is larger than {} bytes", self.max_bytes))
    }
}
