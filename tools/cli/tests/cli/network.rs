//! Proxies and private certificate authorities.

use std::{
    fs,
    net::TcpListener,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::json;

use crate::support::{CommandResult, PLAYED, QA, Socks, Stage};

/// An address without a listener.
const NOWHERE: &str = "127.0.0.1:9";

/// Every command that asks a collector, of a device with a sample.
fn commands(url: &str, sample: &str) -> [String; 5] {
    [
        "device d upload".to_owned(),
        format!("device d accesses {sample}"),
        format!("pull --collector {url} --token-file token --identity qa.key --out data"),
        format!("audit fetch --collector {url} --token-file token --out audit.jsonl"),
        format!("audit verify audit.jsonl --collector {url}"),
    ]
}

/// A device with a sample, whose collector it knows as `url`.
fn with_device(url: impl FnOnce(&Stage) -> String) -> (Stage, String, String) {
    let stage = Stage::new();
    let url = url(&stage);
    stage.device_at("d", &url);
    stage.consent("d", QA);
    let sample = stage.submit("d", PLAYED[0]);
    (stage, url, sample)
}

fn run(stage: &Stage, line: &str, variables: &[(&str, &str)]) -> CommandResult {
    let mut command = stage.command(line);
    command.envs(variables.iter().copied());
    CommandResult::run(&mut command, line)
}

/// The collector is not at the URL that it is known by: only the proxy leads to it.
#[test]
fn every_command_uses_only_the_socks_proxy() {
    let (stage, url, sample) = with_device(|_| format!("http://{NOWHERE}"));
    let socks = Socks::leading_to(stage.collector_address());
    let address = socks.address();
    for (variable, scheme) in [
        ("ALL_PROXY", "socks5"),
        ("all_proxy", "socks5h"),
        ("HTTP_PROXY", "socks4"),
        ("http_proxy", "socks4a"),
    ] {
        let proxy = format!("{scheme}://{address}");
        for line in commands(&url, &sample) {
            run(&stage, &line, &[(variable, &proxy)]).ok();
            let asked = socks.asked();
            assert!(!asked.is_empty(), "{line}");
            assert!(
                asked.iter().all(|asked| asked == NOWHERE),
                "{line}: {asked:?}"
            );
        }
    }
    assert_eq!(stage.objects().len(), 1);
}

#[test]
fn no_command_bypasses_an_unreachable_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let reached = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let (stage, url, sample) = with_device(|_| reached);
    fs::write(stage.path("audit.jsonl"), "").unwrap();
    for (variable, proxy, says) in [
        ("ALL_PROXY", format!("socks5://{NOWHERE}"), "ALL_PROXY"),
        ("all_proxy", format!("socks4://{NOWHERE}"), "all_proxy"),
        ("HTTP_PROXY", format!("socks5h://{NOWHERE}"), "HTTP_PROXY"),
        (
            "ALL_PROXY",
            "ftp://proxy.example".to_owned(),
            "`ftp`, which is not supported",
        ),
        ("HTTPS_PROXY", "socks5://".to_owned(), "HTTPS_PROXY"),
        ("http_proxy", "http://proxy:port".to_owned(), "http_proxy"),
    ] {
        for line in commands(&url, &sample) {
            run(&stage, &line, &[(variable, &proxy)]).failed(&[says]);
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    // A request would have been counted.
    run(&stage, "device d upload", &[]).failed(&[]);
    assert!(connections.load(Ordering::SeqCst) > 0);
}

#[test]
fn localhost_and_no_proxy_hosts_bypass_the_proxy() {
    let (stage, url, sample) = with_device(Stage::url);
    let http = format!("http://{NOWHERE}");
    let socks = format!("socks5://{NOWHERE}");
    for line in commands(&url, &sample) {
        for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
            run(&stage, &line, &[(variable, &http)]).ok();
        }
        for no_proxy in ["127.0.0.0/8", "127.0.0.1", "*", "example.com, 127.0.0.1"] {
            run(
                &stage,
                &line,
                &[("ALL_PROXY", &socks), ("NO_PROXY", no_proxy)],
            )
            .ok();
        }
    }
}

/// A certificate authority `ca.pem`, and `collector.pem` with `collector.key`, for the name `collector.test`, by
/// OpenSSL.
fn make_certificates(stage: &Stage) {
    let make = |name: &str, more: &str| {
        let line = format!(
            "req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN={name} \
             -keyout {name}.key -out {name}.pem {more}"
        );
        let made = stage.command_of("openssl", &line).output();
        let made = made.expect("the openssl command, which apt-get install openssl brings");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    };
    make("ca", "-addext basicConstraints=critical,CA:TRUE");
    make("other", "-addext basicConstraints=critical,CA:TRUE");
    make(
        "collector",
        "-CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:collector.test,DNS:localhost \
         -addext basicConstraints=critical,CA:FALSE",
    );
}

/// Only the proxy knows the name, so that a local look-up would fail.
#[test]
fn the_socks_proxy_resolves_names_and_a_ca_file_is_trusted() {
    let mut stage = Stage::new();
    make_certificates(&stage);
    stage.stop_collector();
    stage.start_tls_collector("collector.pem", "collector.key");
    let url = "https://collector.test";
    stage.device_at("d", url);
    stage.consent("d", QA);
    let sample = stage.submit("d", PLAYED[0]);
    let read = |name: &str| fs::read_to_string(stage.path(name)).unwrap();
    // Comments, as bundles have them, and more than one certificate.
    let bundle = format!(
        "# ours\n{}\n# another\n{}",
        read("other.pem"),
        read("ca.pem")
    );
    fs::write(stage.path("bundle.pem"), bundle).unwrap();
    let socks = Socks::leading_to(stage.collector_address());
    for scheme in ["socks5", "socks4"] {
        let proxy = format!("{scheme}://{}", socks.address());
        let all = ("ALL_PROXY", proxy.as_str());
        for line in commands(url, &sample) {
            run(&stage, &format!("{line} --ca-file ca.pem"), &[all]).ok();
            run(&stage, &line, &[all, ("SSL_CERT_FILE", "bundle.pem")]).ok();
            let asked = socks.asked();
            assert!(
                asked.iter().all(|asked| asked == "collector.test:443"),
                "{line}: {asked:?}"
            );
        }
    }
    let proxy = format!("socks5://{}", socks.address());
    let all = ("ALL_PROXY", proxy.as_str());
    for line in commands(url, &sample) {
        // `upload` has nothing left to send but asks for the plan.
        run(&stage, &line, &[all]).failed(&["certificate"]);
        run(&stage, &format!("{line} --ca-file other.pem"), &[all]).failed(&["certificate"]);
        // The option counts.
        let variable = ("SSL_CERT_FILE", "nowhere.pem");
        run(
            &stage,
            &format!("{line} --ca-file ca.pem"),
            &[all, variable],
        )
        .ok();
        socks.asked();
        for (file, says) in [
            ("nowhere.pem", "cannot be read"),
            ("ca.key", "holds no certificate"),
        ] {
            let ran = run(&stage, &format!("{line} --ca-file {file}"), &[all]);
            ran.refused(&[file, "--ca-file", says]);
            let ran = run(&stage, &line, &[all, ("SSL_CERT_FILE", file)]);
            ran.refused(&[file, "SSL_CERT_FILE", says]);
        }
        assert!(socks.asked().is_empty(), "{line}");
    }
}

/// The server that the other tests rely on is one to another client too.
#[test]
fn curl_reaches_the_collector_through_the_same_socks_server() {
    const TEST: &str = "curl_reaches_the_collector_through_the_same_socks_server";
    if !crate::support::has("curl", TEST) {
        return;
    }
    let stage = Stage::new();
    let socks = Socks::leading_to(stage.collector_address());
    for scheme in ["socks5", "socks5h", "socks4", "socks4a"] {
        let output = Command::new("curl")
            .args(["--silent", "--fail", "--noproxy", "", "--proxy"])
            .arg(format!("{scheme}://{}", socks.address()))
            .arg(format!("http://{NOWHERE}/healthz"))
            .output()
            .unwrap();
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said, json!({"status": "ok"}), "{scheme}");
        assert_eq!(socks.asked(), [NOWHERE], "{scheme}");
    }
}
