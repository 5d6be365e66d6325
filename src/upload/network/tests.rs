//! Variables and files in the forms in which they are set.

use std::fs;

use proptest::prelude::*;

use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<NetworkSettings, NetworkError> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    NetworkSettings::from_variables(variable, None)
}

/// The proxy for the collector at `url`, and its variable.
fn proxy(variables: &[(&str, &str)], url: &str) -> Option<String> {
    let settings = settings(variables).unwrap();
    let proxy = settings.proxy_for(&url.parse().unwrap());
    proxy.map(NamedProxy::to_string)
}

fn is_direct(variables: &[(&str, &str)], url: &str) -> bool {
    proxy(variables, url).is_none()
}

const COLLECTOR: &str = "https://collector.example";
const SOCKS: (&str, &str) = ("ALL_PROXY", "socks5://127.0.0.1:1080");

#[test]
fn the_proxy_of_the_scheme_precedes_all_proxy() {
    for (variables, due) in [
        (&[][..], None),
        (
            &[("HTTPS_PROXY", "http://one:8080")],
            Some("the HTTP proxy at one:8080 (HTTPS_PROXY)"),
        ),
        (
            &[("https_proxy", "http://one:8080")],
            Some("the HTTP proxy at one:8080 (https_proxy)"),
        ),
        (
            &[("https_proxy", "one")],
            Some("the HTTP proxy at one:80 (https_proxy)"),
        ),
        (
            &[("all_proxy", "HTTPS://one/")],
            Some("the HTTPS proxy at one:443 (all_proxy)"),
        ),
        (
            &[("ALL_PROXY", "socks5://one")],
            Some("the SOCKS5h proxy at one:1080 (ALL_PROXY)"),
        ),
        (
            &[("ALL_PROXY", "socks://one:9")],
            Some("the SOCKS5h proxy at one:9 (ALL_PROXY)"),
        ),
        (
            &[("ALL_PROXY", "socks4://one:9")],
            Some("the SOCKS4a proxy at one:9 (ALL_PROXY)"),
        ),
        (
            &[("ALL_PROXY", "socks5h://[::1]:9")],
            Some("the SOCKS5h proxy at [::1]:9 (ALL_PROXY)"),
        ),
        (&[("HTTP_PROXY", "http://one")], None),
        (
            &[("HTTPS_PROXY", ""), SOCKS],
            Some("the SOCKS5h proxy at 127.0.0.1:1080 (ALL_PROXY)"),
        ),
        (
            &[("HTTPS_PROXY", "http://two"), SOCKS],
            Some("the HTTP proxy at two:80 (HTTPS_PROXY)"),
        ),
        (
            &[("HTTPS_PROXY", "http://two"), ("https_proxy", "http://one")],
            Some("the HTTP proxy at one:80 (https_proxy)"),
        ),
    ] {
        assert_eq!(proxy(variables, COLLECTOR).as_deref(), due, "{variables:?}");
    }
}

/// The SOCKS proxy receives the name unresolved, for every scheme.
#[test]
fn names_behind_a_socks_proxy_are_not_resolved_locally() {
    for scheme in ["socks", "socks4", "socks4a", "socks5", "socks5h", "SOCKS5"] {
        let settings = settings(&[("ALL_PROXY", &format!("{scheme}://user:secret@one"))]).unwrap();
        let proxy = settings.proxy_for(&COLLECTOR.parse().unwrap()).unwrap();
        assert!(!proxy.proxy().resolve_target(), "{scheme}");
        assert_eq!(proxy.proxy().password(), Some("secret"), "{scheme}");
        assert!(!format!("{proxy} {proxy:?}").contains("secret"), "{scheme}");
    }
}

#[test]
fn an_invalid_proxy_is_an_error() {
    for name in [
        "all_proxy",
        "ALL_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "http_proxy",
        "HTTP_PROXY",
    ] {
        for value in [
            "ftp://one",
            "socks6://one",
            "one two",
            "http://",
            "http://:8080",
            "socks5://one:port",
            "socks5://one:99999",
            "socks5://one:0",
            "http://one/path",
            "http://one?a=b",
            "r32/?//52:**",
            "://one",
            "http://user:secret@",
        ] {
            let error = settings(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{value}: {error}");
            assert_eq!(error.lines().count(), 1, "{value}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

/// An HTTP proxy would resolve this machine's own names to itself. A SOCKS proxy is set to route everything through it.
#[test]
fn only_a_socks_proxy_is_asked_for_this_machine() {
    for url in [
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.1.2.3:80",
        "http://[::1]:8080",
        "https://localhost",
        "https://127.0.0.1:8443",
        "https://[::1]",
        "https://LOCALHOST",
    ] {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            assert!(is_direct(&[(name, "http://one:8080")], url), "{name} {url}");
        }
        assert!(!is_direct(&[SOCKS], url), "{url}");
        assert!(
            is_direct(&[SOCKS, ("NO_PROXY", "localhost,127.0.0.0/8,::1")], url),
            "{url}"
        );
    }
    for url in [
        "https://localhost.example",
        "https://127.0.0.1.example",
        "https://128.0.0.1",
    ] {
        assert!(
            !is_direct(&[("HTTPS_PROXY", "http://one:8080")], url),
            "{url}"
        );
    }
}

/// The table in `proxy_test.go` of <https://pkg.go.dev/golang.org/x/net/http/httpproxy>.
#[test]
fn no_proxy_matches_like_go() {
    let no_proxy = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:443, 10.0.0.0/30, \
                    2001:db8::52:0:1, [2001:db8::52:0:2]:80, [2001:db8::52:0:3]:443, 2002:db8:a::45/64";
    for (host, is_proxied) in [
        ("localhost", false),
        ("127.0.0.1", false),
        ("127.0.0.2", false),
        ("[::1]", false),
        ("[::2]", true),
        ("192.168.1.1", false),
        ("192.168.1.2", true),
        ("192.168.1.3", false),
        ("192.168.1.4", true),
        ("10.0.0.2", false),
        ("10.0.0.4", true),
        ("[2001:db8::52:0:1]", false),
        ("[2001:db8::52:0:2]", true),
        ("[2001:db8::52:0:3]", false),
        ("[2002:db8:a::123]", false),
        ("[fe80::424b:c8be:1643:a1b6]", true),
        ("barbaz.net", true),
        ("www.barbaz.net", false),
        ("foobar.com", false),
        ("www.foobar.com", false),
        ("foofoobar.com", true),
        ("baz.com", true),
        ("localhost.net", true),
        ("local.localhost", true),
        ("barbarbaz.net", true),
        ("wildcard.io", true),
        ("nested.wildcard.io", false),
        ("awildcard.io", true),
    ] {
        let variables = [("HTTPS_PROXY", "http://one"), ("NO_PROXY", no_proxy)];
        let url = format!("https://{host}");
        assert_eq!(!is_direct(&variables, &url), is_proxied, "{host}");
    }
}

#[test]
fn no_proxy_takes_every_form_that_people_write() {
    for (no_proxy, url) in [
        ("*", "https://anything.example"),
        ("one.example *", "https://anything.example"),
        ("COLLECTOR.example", COLLECTOR),
        ("collector.example.", COLLECTOR),
        ("collector.example:443", COLLECTOR),
        ("collector.example", "https://collector.example:8443"),
        ("10.0.0.0/8", "https://10.200.3.4:8443"),
        ("fe80::/10", "https://[fe80::1]"),
        ("::ffff:10.0.0.1", "https://10.0.0.1"),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]"),
        ("[2001:db8::1]", "https://[2001:db8:0::1]"),
    ] {
        for name in ["no_proxy", "NO_PROXY"] {
            assert!(
                is_direct(&[SOCKS, (name, no_proxy)], url),
                "{no_proxy} {url}"
            );
        }
    }
    for (no_proxy, url) in [
        ("", COLLECTOR),
        (",, ,", COLLECTOR),
        ("collector.example:80", COLLECTOR),
        ("10.0.0.0/8", "https://11.0.0.1"),
        ("10.0.0.0/33", "https://10.0.0.1"),
        ("fe80::/10", "https://[fec0::1]"),
        ("example.*", COLLECTOR),
        ("llector.example", COLLECTOR),
        ("10.0.0.0/8", "https://10.example"),
        ("collector.example:port", COLLECTOR),
    ] {
        assert!(
            !is_direct(&[SOCKS, ("NO_PROXY", no_proxy)], url),
            "{no_proxy} {url}"
        );
    }
}

proptest! {
    /// Any value of a variable is a proxy or an error.
    #[test]
    fn an_invalid_proxy_never_falls_back_to_a_direct_request(value in "\\PC{1,40}") {
        prop_assume!(!value.trim().is_empty());
        if let Ok(settings) = settings(&[("ALL_PROXY", &value)]) {
            prop_assert!(settings.proxy_for(&COLLECTOR.parse().unwrap()).is_some());
        }
    }

    /// Addresses are in a network just where their first bits are the network's.
    #[test]
    fn a_network_contains_the_addresses_with_its_prefix(network: u32, length in 0..=32_u32, address: u32) {
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        let text = |address: u32| std::net::Ipv4Addr::from(address).to_string();
        let no_proxy = format!("{}/{length}", text(network));
        let url = format!("https://{}", text(address));
        let is_in = network & mask == address & mask;
        prop_assert_eq!(is_direct(&[SOCKS, ("NO_PROXY", &no_proxy)], &url), is_in);
    }
}

#[test]
fn certificate_errors_name_the_file_and_its_option() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let damaged = "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (content, said) in [
        ("", "holds no certificate"),
        ("certificate", "holds no certificate"),
        (key, "holds no certificate"),
        (damaged, "is damaged"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "is damaged"),
    ] {
        fs::write(&path, content).unwrap();
        let by_option = NetworkSettings::from_variables(|_| None, Some((&path, "--ca-file")));
        let by_variable = settings(&[("SSL_CERT_FILE", path.to_str().unwrap())]);
        for (settings, named_by) in [(by_option, "--ca-file"), (by_variable, "SSL_CERT_FILE")] {
            let error = settings.unwrap_err().to_string();
            for part in [said, named_by, "ca.pem"] {
                assert!(error.contains(part), "{content}: {error}");
            }
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
    let error = settings(&[("SSL_CERT_FILE", "/nowhere/ca.pem")]).unwrap_err();
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
}

/// An option takes precedence over the variable.
#[test]
fn an_option_takes_precedence_over_the_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    fs::write(
        &path,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let nowhere = |name: &str| (name == "SSL_CERT_FILE").then(|| OsString::from("/nowhere"));
    assert!(NetworkSettings::from_variables(nowhere, Some((&path, "--ca-file"))).is_ok());
    assert!(settings(&[("SSL_CERT_FILE", "")]).is_ok());
}
