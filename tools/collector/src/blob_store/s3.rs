//! Objects in a bucket of S3 or of an S3-compatible service.
//!
//! Region, endpoint and keys are read from the environment variables of AWS's own tools: `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and the like.

use std::{
    collections::BTreeSet,
    error::Error as _,
    ffi::OsString,
    future::ready,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{body::Bytes, http::Uri};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{
    ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    list::{PaginatedListOptions, PaginatedListStore as _},
    path::Path,
};
use sordino::Id;
use tokio::sync::mpsc::Sender;

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

/// Validates the proxy variables. reqwest ignores a proxy that it cannot parse and connects directly.
fn check_proxies(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), BlobStoreError> {
    for name in [
        "https_proxy",
        "HTTPS_PROXY",
        "http_proxy",
        "HTTP_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        // The value is not quoted in the error, because it may contain a password.
        let url = value.to_str().map(|value| match value.contains("://") {
            true => value.to_owned(),
            false => format!("http://{value}"),
        });
        let url: Option<Uri> = url.and_then(|url| url.parse().ok());
        let is_usable = url.is_some_and(|url| {
            let is_known = matches!(
                url.scheme_str(),
                Some("http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h")
            );
            is_known && url.host().is_some_and(|host| !host.is_empty())
        });
        if !is_usable {
            return Err(misconfigured(&format!(
                "{name} is not a valid proxy; set it to a URL like http://HOST:PORT or socks5h://HOST:PORT, or unset it"
            )));
        }
    }
    Ok(())
}

/// Validates the AWS variables, for which the client library reports no clear errors.
fn check_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), BlobStoreError> {
    for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"] {
        let Some(value) = variable(name) else {
            continue;
        };
        let value = value.to_string_lossy();
        let url: Option<Uri> = value.parse().ok();
        let is_url = url.is_some_and(|url| {
            matches!(url.scheme_str(), Some("http" | "https"))
                && url.host().is_some_and(|host| !host.is_empty())
                && url.query().is_none()
        });
        if !is_url {
            return Err(misconfigured(&format!(
                "{name} is `{value}`, which is not a valid URL; set it to https://HOST or http://HOST:PORT, or unset it"
            )));
        }
    }
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    for (set, missing) in [(id, secret), (secret, id)] {
        if is_set(set) && !is_set(missing) {
            return Err(misconfigured(&format!(
                "{set} is set but {missing} is not; set both"
            )));
        }
    }
    let has_endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .into_iter()
        .any(is_set);
    // On AWS machines, keys are obtained from a role.
    let has_role = [
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SKIP_SIGNATURE",
    ]
    .into_iter()
    .any(is_set);
    if has_endpoint && !is_set(id) && !has_role {
        return Err(misconfigured(&format!(
            "{id} and {secret} are not set; set both"
        )));
    }
    Ok(())
}

/// Whether plain HTTP is allowed: to this machine, or if the operator allows it.
fn allows_http(builder: &AmazonS3Builder) -> Result<bool, BlobStoreError> {
    use object_store::{ClientConfigKey, aws::AmazonS3ConfigKey as Key};
    let of = |key| builder.get_config_value(&key);
    let endpoint = of(Key::S3Endpoint).or_else(|| of(Key::Endpoint));
    let is_allowed = of(Key::Client(ClientConfigKey::AllowHttp))
        .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1");
    let Some(endpoint) = endpoint.filter(|endpoint| endpoint.starts_with("http://")) else {
        return Ok(is_allowed);
    };
    let url: Option<Uri> = endpoint.parse().ok();
    let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let is_loopback = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if is_allowed || is_loopback {
        return Ok(true);
    }
    Err(misconfigured(
        "AWS_ENDPOINT_URL is plain http to another machine; use https, or set AWS_ALLOW_HTTP=true",
    ))
}

/// An error in the operator's configuration.
fn misconfigured(cause: &str) -> BlobStoreError {
    BlobStoreError {
        operation: "opening",
        cause: cause.to_owned(),
        is_unavailable: false,
    }
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

/// Converts an error of the library, whose message contains the object's name, to one with its cause only.
fn request_error(operation: &'static str) -> impl FnOnce(object_store::Error) -> BlobStoreError {
    use object_store::Error;
    move |error| {
        let text = error_chain(&error);
        let advised = error_code(&text).and_then(advice);
        let (cause, is_unavailable) = match &error {
            _ if advised.is_some() => (advised.unwrap_or_default().to_owned(), false),
            // A redirect without a location.
            _ if text.contains("incorrectly configured region") => (REGION.to_owned(), false),
            Error::NotFound { .. } => ("the bucket does not exist".to_owned(), false),
            Error::PermissionDenied { .. } => (DENIED.to_owned(), false),
            Error::Unauthenticated { .. } => ("the key is not valid".to_owned(), false),
            Error::Generic { .. } if text.contains("169.254.") => (
                "no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and this machine has no role"
                    .to_owned(),
                true,
            ),
            Error::Generic { .. } => (root_cause(&error, &text), true),
            _ => ("the request was refused".to_owned(), false),
        };
        BlobStoreError {
            operation,
            cause,
            is_unavailable,
        }
    }
}

const REGION: &str = "the bucket is in another region; set AWS_REGION to it, and AWS_ENDPOINT_URL if the service is not AWS";
const DENIED: &str = "access denied; the key needs s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject \
                      on its objects";

/// The advice for an error code of the service:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "IllegalLocationConstraintException" => REGION,
        "AccessDenied" | "AllAccessDisabled" => DENIED,
        "InvalidAccessKeyId" => "the service does not know the key in AWS_ACCESS_KEY_ID",
        "SignatureDoesNotMatch" => {
            "AWS_SECRET_ACCESS_KEY is not the secret of the key in AWS_ACCESS_KEY_ID"
        }
        "ExpiredToken" | "InvalidToken" => "AWS_SESSION_TOKEN has expired",
        "RequestTimeTooSkewed" => "this machine's clock is wrong; set it",
        "NoSuchBucket" => "the bucket does not exist",
        _ => return None,
    })
}

/// The error and its sources, as one text.
fn error_chain(error: &object_store::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let texts = causes.map(|cause| cause.to_string());
    std::iter::once(error.to_string())
        .chain(texts)
        .collect::<Vec<_>>()
        .join(": ")
}

/// The code in the service's error document.
fn error_code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0)
}

/// The root cause without the object's name: the system's error, or the service's error code.
fn root_cause(error: &object_store::Error, text: &str) -> String {
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if let Some(system) = causes.find_map(|cause| cause.downcast_ref::<io::Error>()) {
        return system.kind().to_string();
    }
    match error_code(text) {
        Some(code) => format!("the service returned the error {code}"),
        None => "the service returned an unexpected response".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)]) -> Result<(), String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        check_environment(variable).map_err(|error| error.to_string())
    }

    const KEYS: [(&str, &str); 2] = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];

    #[test]
    fn an_invalid_proxy_variable_is_reported() {
        let check = |name: &'static str, value: &'static str| {
            let variable = |asked: &str| (asked == name).then(|| OsString::from(value));
            check_proxies(variable).map_err(|error| error.to_string())
        };
        for name in [
            "ALL_PROXY",
            "all_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "HTTP_PROXY",
        ] {
            for value in [
                "ftp://one",
                "socks6://one",
                "http://",
                "one two",
                "http://secret@",
            ] {
                let refused = check(name, value).unwrap_err();
                assert!(
                    refused.contains(name) && !refused.contains("secret"),
                    "{refused}"
                );
            }
            for value in [
                "",
                "one:8080",
                "http://one:8080",
                "socks5h://user:secret@one:1080",
            ] {
                assert_eq!(check(name, value), Ok(()), "{value}");
            }
        }
    }

    #[test]
    fn invalid_aws_variables_are_reported() {
        for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"] {
            for value in [
                "",
                "minio:9000",
                "minio",
                "//minio",
                "ftp://minio",
                "http://",
                "https://minio/?a=b",
                "http://a b",
            ] {
                let refused = check(&[KEYS[0], KEYS[1], (name, value)]).unwrap_err();
                assert!(
                    refused.contains(name) && refused.contains("https://HOST"),
                    "{refused}"
                );
            }
            assert_eq!(
                check(&[KEYS[0], KEYS[1], (name, "http://minio:9000")]),
                Ok(())
            );
            let refused = check(&[(name, "http://minio:9000")]).unwrap_err();
            assert!(
                refused.contains(KEYS[0].0) && refused.contains(KEYS[1].0),
                "{refused}"
            );
        }
        for (set, missing) in [(KEYS[0], KEYS[1]), (KEYS[1], KEYS[0])] {
            let refused = check(&[set]).unwrap_err();
            assert!(
                refused.contains(&format!("{} is not", missing.0)),
                "{refused}"
            );
            assert!(!refused.contains(set.1));
        }
        // On AWS machines.
        assert_eq!(check(&[]), Ok(()));
    }
}
