//! Errors of S3, without names of objects.

use std::{error::Error as _, io};

use crate::blob_store::BlobStoreError;

/// An error in the operator's configuration.
pub(super) fn misconfigured(cause: &str) -> BlobStoreError {
    BlobStoreError {
        operation: "opening",
        cause: cause.to_owned(),
        is_unavailable: false,
    }
}

/// Converts an error of the library, whose message contains the object's name, to one with its cause only.
pub(super) fn request_error(
    operation: &'static str,
) -> impl FnOnce(object_store::Error) -> BlobStoreError {
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
