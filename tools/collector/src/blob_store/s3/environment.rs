//! Validates the environment variables of the S3 client.

use std::ffi::OsString;

use axum::http::Uri;
use object_store::aws::AmazonS3Builder;

use super::errors::misconfigured;
use crate::blob_store::BlobStoreError;

/// Validates the proxy variables. reqwest ignores a proxy that it cannot parse and connects directly.
pub(super) fn check_proxies(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(), BlobStoreError> {
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
pub(super) fn check_environment(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(), BlobStoreError> {
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
pub(super) fn allows_http(builder: &AmazonS3Builder) -> Result<bool, BlobStoreError> {
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
