//! Objects in a bucket of S3 or of an S3-compatible service.
//!
//! Region, endpoint and keys are read from the environment variables of AWS's own tools: `AWS_REGION`,
//! `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and the like.

mod environment;
mod errors;

use std::{
    collections::BTreeSet,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{
    ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    list::{PaginatedListOptions, PaginatedListStore as _},
    path::Path,
};
use sordino::Id;
use tokio::sync::mpsc::Sender;

use self::{
    environment::{allows_http, check_environment, check_proxies},
    errors::{misconfigured, request_error},
};
use super::{BlobStoreError, ObjectName, StoredObject};

/// The content of the probe object.
const PROBE_CONTENT: &[u8] = b"written by sordino-collector to see whether it can be deleted";
/// The timeout of one request; a sample has at most 1 MiB.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// The time limit of retries.
const RETRY_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_RETRIES: usize = 4;
/// The number of objects per chunk of a list.
const LIST_CHUNK: usize = 500;
/// The number of samples whose objects are listed concurrently.
const CONCURRENT_LISTS: usize = 16;

/// A bucket, or a prefix in it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    store: Arc<AmazonS3>,
    /// The same store, which deletes objects one by one: some S3-compatible services do not support bulk deletion.
    single_delete_store: Arc<AmazonS3>,
    /// Whether bulk deletion is supported, as far as is known.
    has_bulk_delete: Arc<AtomicBool>,
    prefix: Path,
}

/// A sample that is buffered until it is sent in one request.
#[derive(Debug)]
pub(super) struct Upload {
    bucket: Bucket,
    buffer: Vec<u8>,
}

impl Bucket {
    pub(super) async fn open(bucket: &str, prefix: &str) -> Result<Self, BlobStoreError> {
        // An error means that it is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        check_environment(|name| std::env::var_os(name))?;
        check_proxies(|name| std::env::var_os(name))?;
        let builder = AmazonS3Builder::from_env();
        let allows_http = allows_http(&builder)?;
        let retry = RetryConfig {
            max_retries: MAX_RETRIES,
            retry_timeout: RETRY_TIMEOUT,
            ..RetryConfig::default()
        };
        let options = ClientOptions::new()
            .with_timeout(REQUEST_TIMEOUT)
            .with_allow_http(allows_http);
        let builder = builder
            .with_bucket_name(bucket)
            .with_client_options(options)
            .with_retry(retry);
        let store = |builder: AmazonS3Builder| {
            let built = builder.build().map(Arc::new);
            built.map_err(|error| misconfigured(&error.to_string()))
        };
        let bucket = Self {
            store: store(builder.clone())?,
            single_delete_store: store(builder.with_disable_bulk_delete(true))?,
            has_bulk_delete: Arc::new(AtomicBool::new(true)),
            prefix: Path::parse(prefix).map_err(|error| misconfigured(&error.to_string()))?,
        };
        // Without this check, a missing bucket or a wrong key would be detected only by the first request.
        bucket.check_available().await?;
        Ok(bucket)
    }

    /// Writes, reads and deletes an object, because samples that cannot be deleted must not be accepted.
    ///
    /// # Errors
    /// A step fails, or the bucket keeps deleted objects.
    pub(super) async fn probe(&self) -> Result<(), BlobStoreError> {
        let random = Id::random()
            .map_err(|_| misconfigured("the system's random source is not available"))?;
        let path = self.prefix.clone().join(format!("probe-{random}"));
        let written = self
            .store
            .put(&path, PutPayload::from_static(PROBE_CONTENT))
            .await
            .map_err(request_error("writing"))?;
        // With suspended versioning, objects have the version `null` and can be deleted.
        let keeps_versions = written.version.is_some_and(|version| version != "null");
        let read = async { self.store.get(&path).await?.bytes().await };
        let read = read.await.map_err(request_error("reading"));
        let removed = self.remove_paths(vec![path.clone()]).await;
        if read? != PROBE_CONTENT {
            return Err(misconfigured(
                "an object was read back with different content",
            ));
        }
        removed?;
        // Listed instead of read, because some services respond with 403 for missing objects.
        let listed = self
            .store
            .list_paginated(Some(path.as_ref()), PaginatedListOptions::default())
            .await
            .map_err(request_error("listing"))?;
        if !listed.result.objects.is_empty() {
            return Err(misconfigured("a deleted object still exists"));
        }
        if keeps_versions {
            return Err(misconfigured(
                "the bucket has versioning enabled, so that deleted samples would be kept; suspend its versioning, or use \
                 another bucket",
            ));
        }
        Ok(())
    }

    pub(super) async fn check_available(&self) -> Result<(), BlobStoreError> {
        let mut first = self.store.list(Some(&self.prefix));
        first.try_next().await.map_err(request_error("listing"))?;
        Ok(())
    }

    pub(super) fn begin(&self) -> Upload {
        Upload {
            bucket: self.clone(),
            buffer: Vec::new(),
        }
    }

    pub(super) async fn read(&self, name: ObjectName) -> Result<Option<Vec<u8>>, BlobStoreError> {
        let read = async { self.store.get(&self.path(name)).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(request_error("reading")(error)),
        }
    }

    pub(super) async fn remove(&self, names: &[ObjectName]) -> Result<(), BlobStoreError> {
        let paths = names.iter().map(|name| self.path(*name)).collect();
        self.remove_paths(paths).await
    }

    async fn remove_paths(&self, paths: Vec<Path>) -> Result<(), BlobStoreError> {
        if self.has_bulk_delete.load(Ordering::Relaxed) {
            match delete_paths(&self.store, paths.clone()).await {
                // The service may not support this request.
                Err(
                    object_store::Error::Generic { .. }
                    | object_store::Error::NotImplemented { .. },
                ) if delete_paths(&self.single_delete_store, paths.clone())
                    .await
                    .is_ok() =>
                {
                    tracing::info!(
                        "the bucket does not support bulk deletion; deleting objects one by one"
                    );
                    self.has_bulk_delete.store(false, Ordering::Relaxed);
                    return Ok(());
                }
                removed => return removed.map_err(request_error("removing")),
            }
        }
        let removed = delete_paths(&self.single_delete_store, paths).await;
        removed.map_err(request_error("removing"))
    }

    /// Lists these objects and all others of the same samples.
    pub(super) async fn all_uploads_of(
        &self,
        names: &[ObjectName],
    ) -> Result<Vec<ObjectName>, BlobStoreError> {
        let lists: Vec<_> = names
            .iter()
            .map(|name| self.clone().uploads_of_sample(*name))
            .collect();
        let found = stream::iter(lists)
            .buffer_unordered(CONCURRENT_LISTS)
            .try_fold(BTreeSet::new(), |mut all, found| {
                all.extend(found);
                ready(Ok(all))
            });
        Ok(found.await?.into_iter().collect())
    }

    async fn uploads_of_sample(self, name: ObjectName) -> Result<Vec<ObjectName>, BlobStoreError> {
        let mut found = vec![name];
        let start = format!("{}.", self.prefix.clone().join(name.sample.to_string()));
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions {
                page_token,
                ..PaginatedListOptions::default()
            };
            let page = self.store.list_paginated(Some(&start), options).await;
            let page = page.map_err(request_error("listing"))?;
            found.extend(page.result.objects.iter().filter_map(parse_name));
            page_token = page.page_token;
            if page_token.is_none() {
                return Ok(found);
            }
        }
    }

    pub(super) fn list(&self, found: Sender<Result<Vec<StoredObject>, BlobStoreError>>) {
        let bucket = self.clone();
        tokio::spawn(async move {
            let mut chunks = bucket
                .store
                .list(Some(&bucket.prefix))
                .try_filter_map(|meta| ready(Ok(stored_object(&meta))))
                .try_chunks(LIST_CHUNK);
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|error| request_error("listing")(error.1));
                // The receiver may have stopped.
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
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) async fn send(&mut self, name: ObjectName) -> Result<(), BlobStoreError> {
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        let path = self.bucket.path(name);
        let payload = PutPayload::from(bytes);
        let sent = self.bucket.store.put(&path, payload).await;
        sent.map(drop).map_err(request_error("writing"))
    }
}

async fn delete_paths(store: &AmazonS3, paths: Vec<Path>) -> object_store::Result<()> {
    let paths = stream::iter(paths.into_iter().map(Ok)).boxed();
    let mut removed = store.delete_stream(paths);
    while let Some(outcome) = removed.next().await {
        match outcome {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn parse_name(meta: &ObjectMeta) -> Option<ObjectName> {
    ObjectName::parse(meta.location.filename()?)
}

fn stored_object(meta: &ObjectMeta) -> Option<StoredObject> {
    let name = parse_name(meta)?;
    let since = std::time::SystemTime::now().duration_since(meta.last_modified.into());
    Some(StoredObject {
        name,
        // A time in the future by this machine's clock counts as now.
        age: Some(since.unwrap_or_default()),
    })
}
