//! The names by which devices reach the collector.

use std::net::Ipv6Addr;

/// Parses one of [`Config::names`](super::Config::names): a host as in `@authority` (RFC 9421 section 2.2.3), with or
/// without a port.
///
/// # Errors
/// The expected form.
pub fn parse_name(text: &str) -> Result<String, String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_address = |host: &str| {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        bare.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
    };
    let is_name = |host: &str| {
        let is_label = |label: &str| {
            let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            !label.is_empty() && label.chars().all(is_letter)
        };
        host.split('.').all(is_label)
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    match (is_address(host) || is_name(host)) && port.is_none_or(is_port) {
        true => Ok(text.to_owned()),
        false => Err(
            "expected the host of the collector's URL as devices use it, without `https://` and path"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_host_with_an_optional_port() {
        for name in [
            "qa.example",
            "QA.example:8443",
            "localhost",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "[::1]:8787",
        ] {
            assert_eq!(parse_name(name).as_deref(), Ok(name));
        }
        for text in [
            "",
            " ",
            "*",
            "https://qa.example",
            "qa.example/",
            "qa.example ",
            "a:1,b:1",
            "a:99999",
            "a:0",
            "a:",
            "a/b",
            "é.example",
            "me@qa.example",
            "[::1",
            "::1",
            ".",
            "a..b",
        ] {
            assert!(parse_name(text).is_err(), "{text}");
        }
    }
}
