//! Objects in a bucket of S3, or of what speaks as S3 does.
//!
//! Region, endpoint and keys come from the environment variables that AWS's own tools read:
//! `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and the like.

use std::{collections::BTreeSet, error::Error as _, future::ready, io, sync::Arc, time::Duration};

use axum::{body::Bytes, http::Uri};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{
    ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    list::{PaginatedListOptions, PaginatedListStore as _},
    path::Path,
};
use tokio::sync::mpsc::Sender;

use super::{Lying, ObjectName, ObjectsError};

/// How long one request may take; a sample is at most 1 MiB.
const REQUEST: Duration = Duration::from_secs(20);
/// How long a request is tried again while the service fails.
const RETRYING: Duration = Duration::from_secs(15);
const RETRIES: usize = 4;
/// How many names go round at a time.
const CHUNK: usize = 500;
/// Of how many samples the objects are asked for at the same time.
const LISTED_AT_ONCE: usize = 16;

/// A bucket, or what lies under a prefix in it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: Path,
}

/// A sample that is collected until it is sent in one piece.
#[derive(Debug)]
pub(super) struct Upload {
    bucket: Bucket,
    held: Vec<u8>,
}

impl Bucket {
    pub(super) async fn open(bucket: &str, prefix: &str) -> Result<Self, ObjectsError> {
        // A second time it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = AmazonS3Builder::from_env();
        let allows_http = allows_http(&builder)?;
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRYING,
            ..RetryConfig::default()
        };
        let options = ClientOptions::new()
            .with_timeout(REQUEST)
            .with_allow_http(allows_http);
        let store = builder
            .with_bucket_name(bucket)
            .with_client_options(options)
            .with_retry(retry)
            .build()
            .map_err(|error| misset(&error.to_string()))?;
        let prefix = Path::parse(prefix).map_err(|error| misset(&error.to_string()))?;
        let store = Arc::new(store);
        let bucket = Self { store, prefix };
        // A bucket that is not there, or a wrong key, would only be found out by the first request.
        bucket.answer().await?;
        Ok(bucket)
    }

    pub(super) async fn answer(&self) -> Result<(), ObjectsError> {
        let mut first = self.store.list(Some(&self.prefix));
        first.try_next().await.map_err(failed("listing"))?;
        Ok(())
    }

    pub(super) fn begin(&self) -> Upload {
        Upload {
            bucket: self.clone(),
            held: Vec::new(),
        }
    }

    pub(super) async fn read(&self, name: ObjectName) -> Result<Option<Vec<u8>>, ObjectsError> {
        let read = async { self.store.get(&self.path(name)).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("reading")(error)),
        }
    }

    pub(super) async fn remove(&self, names: &[ObjectName]) -> Result<(), ObjectsError> {
        let paths: Vec<_> = names.iter().map(|name| Ok(self.path(*name))).collect();
        let mut removed = self.store.delete_stream(stream::iter(paths).boxed());
        while let Some(outcome) = removed.next().await {
            match outcome {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failed("removing")(error)),
            }
        }
        Ok(())
    }

    /// These objects and all others of the same samples.
    pub(super) async fn all_of(
        &self,
        names: &[ObjectName],
    ) -> Result<Vec<ObjectName>, ObjectsError> {
        let lists: Vec<_> = names
            .iter()
            .map(|name| self.clone().all_of_one(*name))
            .collect();
        let found = stream::iter(lists)
            .buffer_unordered(LISTED_AT_ONCE)
            .try_fold(BTreeSet::new(), |mut all, found| {
                all.extend(found);
                ready(Ok(all))
            });
        Ok(found.await?.into_iter().collect())
    }

    async fn all_of_one(self, name: ObjectName) -> Result<Vec<ObjectName>, ObjectsError> {
        let mut found = vec![name];
        let start = format!("{}.", self.prefix.clone().join(name.sample.to_string()));
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions {
                page_token,
                ..PaginatedListOptions::default()
            };
            let page = self.store.list_paginated(Some(&start), options).await;
            let page = page.map_err(failed("listing"))?;
            found.extend(page.result.objects.iter().filter_map(named));
            page_token = page.page_token;
            if page_token.is_none() {
                return Ok(found);
            }
        }
    }

    pub(super) fn list(&self, found: Sender<Result<Vec<Lying>, ObjectsError>>) {
        let bucket = self.clone();
        tokio::spawn(async move {
            let mut chunks = bucket
                .store
                .list(Some(&bucket.prefix))
                .try_filter_map(|meta| ready(Ok(lying(&meta))))
                .try_chunks(CHUNK);
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|error| failed("listing")(error.1));
                // The receiver may have heard enough.
                if found.send(chunk).await.is_err() {
                    return;
                }
            }
        });
    }

    fn path(&self, name: ObjectName) -> Path {
        self.prefix.clone().join(name.to_string())
    }
}

impl Upload {
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    pub(super) async fn send(&mut self, name: ObjectName) -> Result<(), ObjectsError> {
        let bytes = Bytes::from(std::mem::take(&mut self.held));
        let path = self.bucket.path(name);
        let payload = PutPayload::from(bytes);
        let sent = self.bucket.store.put(&path, payload).await;
        sent.map(drop).map_err(failed("writing"))
    }
}

/// Whether plain HTTP may be spoken: to this very machine, or where the operator said so.
fn allows_http(builder: &AmazonS3Builder) -> Result<bool, ObjectsError> {
    use object_store::{ClientConfigKey, aws::AmazonS3ConfigKey as Key};
    let of = |key| builder.get_config_value(&key);
    let endpoint = of(Key::S3Endpoint).or_else(|| of(Key::Endpoint));
    let is_told = of(Key::Client(ClientConfigKey::AllowHttp))
        .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1");
    let Some(endpoint) = endpoint.filter(|endpoint| endpoint.starts_with("http://")) else {
        return Ok(is_told);
    };
    let url: Option<Uri> = endpoint.parse().ok();
    let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let is_loopback = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if is_told || is_loopback {
        return Ok(true);
    }
    Err(misset(
        "AWS_ENDPOINT_URL is plain http to another machine; give https, or set AWS_ALLOW_HTTP=true",
    ))
}

/// What the operator set cannot work. No object is in play yet.
fn misset(cause: &str) -> ObjectsError {
    ObjectsError {
        doing: "opening",
        cause: cause.to_owned(),
        is_unavailable: false,
    }
}

fn named(meta: &ObjectMeta) -> Option<ObjectName> {
    ObjectName::parse(meta.location.filename()?)
}

fn lying(meta: &ObjectMeta) -> Option<Lying> {
    let name = named(meta)?;
    let since = std::time::SystemTime::now().duration_since(meta.last_modified.into());
    Some(Lying {
        name,
        // In the future by this machine's clock: just now.
        age: Some(since.unwrap_or_default()),
    })
}

/// What the library says names the object, so that only what kind of failure it is goes on.
fn failed(doing: &'static str) -> impl FnOnce(object_store::Error) -> ObjectsError {
    use object_store::Error;
    move |error| {
        let (cause, is_unavailable) = match &error {
            Error::NotFound { .. } => ("there is no such bucket".to_owned(), false),
            Error::PermissionDenied { .. } => ("the key may not do that".to_owned(), false),
            Error::Unauthenticated { .. } => ("the key is not valid".to_owned(), false),
            Error::Generic { .. } => (root(&error), true),
            _ => ("the request was refused".to_owned(), false),
        };
        ObjectsError {
            doing,
            cause,
            is_unavailable,
        }
    }
}

/// The last thing that is known and names no object: the system's error, or the service's code.
fn root(error: &object_store::Error) -> String {
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if let Some(system) = causes.find_map(|cause| cause.downcast_ref::<io::Error>()) {
        return system.kind().to_string();
    }
    let text = error.to_string();
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    match code {
        Some((code, _)) => format!("the service says {code}"),
        None => "the service does not answer as it should".to_owned(),
    }
}
