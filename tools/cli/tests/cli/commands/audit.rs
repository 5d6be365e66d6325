//! `audit fetch` and `audit verify`.

use std::{fs, process::Command};

use serde_json::json;
use sordino::Purpose;

use crate::support::{Auditor, CommandResult, skipped};

/// The examples in docs/protocol.md.
const PROTOCOL: &str = include_str!("../../../../../docs/protocol.md");
const ORACLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/python/verify_audit_log.py"
);

#[test]
fn a_pulled_sample_is_in_the_log_that_the_person_sees() {
    let auditor = Auditor::new();
    assert_eq!(
        auditor.fetch(),
        json!({"entries": 0, "hash": "0".repeat(64), "fetched": 0})
    );
    let empty = format!("0:{}", "0".repeat(64));
    auditor.verify(&format!("--head {empty}")).ok();
    auditor.stage.pull("data", "bundle");
    let fetched = auditor.fetch();
    assert_eq!(
        (&fetched["entries"], &fetched["fetched"]),
        (&1.into(), &1.into())
    );

    let [entry] = auditor.entries().try_into().unwrap();
    assert_eq!(
        (&entry["sample"], &entry["reader"]),
        (&auditor.sample.clone().into(), &"first-reader".into())
    );
    let line = format!("device d accesses {}", auditor.sample);
    let answer = auditor.stage.json(&line);
    let access = &answer["accesses"][0];
    assert_eq!(
        (&access["entry"], &access["hash"]),
        (&1.into(), &entry["hash"])
    );
    let root = answer["head"]["root"].as_str().unwrap();
    assert_eq!(
        answer["head"],
        json!({"entries": 1, "hash": entry["hash"], "root": root})
    );
    let result = auditor.stage.sordino(&line).ok().stdout;
    // The root that the person's device stored is checked against the whole log.
    assert!(
        result.contains(&format!("root of the log  1:{root}")),
        "{result}"
    );
    auditor.stage.pull("again", "bundle");
    auditor.fetch();
    let verified = auditor.verify(&format!("--root 1:{root}")).ok().stdout;
    assert!(
        verified.contains("its first 1 entry have the root"),
        "{verified}"
    );
    let other = format!("1:{}", "0".repeat(64));
    auditor
        .verify(&format!("--root {other}"))
        .refused(&["audit.jsonl: its first 1 entries have another root"]);
    auditor
        .verify(&format!("--root 3:{root}"))
        .refused(&["the log ends at entry 2, but its head is 3"]);
    let head = format!("1:{}", entry["hash"].as_str().unwrap());
    assert!(
        result.contains("entry 1 of the log") && result.contains(&head),
        "{result}"
    );
}

#[test]
fn a_refetched_log_continues_and_has_every_earlier_head() {
    let auditor = Auditor::new();
    let mut heads: Vec<String> = Vec::new();
    let mut before = Vec::new();
    for entries in 1..4 {
        auditor.stage.pull(&format!("data-{entries}"), "bundle");
        let fetched = auditor.fetch();
        assert_eq!(
            (&fetched["entries"], &fetched["fetched"]),
            (&entries.into(), &1.into())
        );
        let text = auditor.text();
        assert!(text.starts_with(&before));
        before = text;
        heads.push(auditor.head());
    }
    // Nothing new changes nothing.
    assert_eq!(auditor.fetch()["fetched"], 0);
    assert_eq!(auditor.text(), before);

    for head in &heads {
        let verified = auditor
            .verify(&format!("--head {head} --json"))
            .ok()
            .document();
        let (entries, hash) = heads[2].split_once(':').unwrap();
        let line = format!("device d accesses {}", auditor.sample);
        let root = auditor.stage.json(&line)["head"]["root"].clone();
        assert_eq!(
            verified,
            json!({"entries": entries.parse::<u64>().unwrap(), "hash": hash, "root": root})
        );
    }
    let url = auditor.stage.url();
    let against_collector = format!("--collector {url}");
    auditor.verify(&against_collector).ok();
    for (flags, says) in [
        ("", "without a head"),
        (
            against_collector.as_str(),
            "it ends at the head of the collector",
        ),
        (
            &format!("--head {}", heads[2]),
            "it ends at the head that was given",
        ),
        (
            &format!("--head {}", heads[0]),
            "at entry 1; only a later head shows whether entries were cut off",
        ),
    ] {
        let result = auditor.verify(flags).ok().stdout;
        assert!(
            result.starts_with("3 entries") && result.contains(says),
            "{result}"
        );
        assert!(result.trim_end().ends_with(&heads[2]), "{result}");
    }
}

#[test]
fn every_tampering_with_a_log_is_reported_in_one_line() {
    let auditor = Auditor::with_hand_outs(6);
    let lines = auditor.lines();
    let [head, earlier] = [auditor.head(), auditor.head_at(3)];
    let edited = lines[3].replace("first-reader", "other-reader");
    let without = |from: usize, to: usize| [&lines[..from], &lines[to..]].concat();
    let mut swapped = lines.clone();
    swapped.swap(1, 4);
    let mut inserted = lines.clone();
    inserted.insert(4, lines[1].clone());
    let mut changed = lines.clone();
    changed[3] = edited;
    for (made, flags, says) in [
        (
            changed,
            "",
            "line 4: the entry was changed: its hash does not fit it",
        ),
        (without(3, 4), "", "line 4: entry 4 is missing here"),
        (without(0, 2), "", "line 1: entries 1 to 2 are missing here"),
        (swapped, "", "line 2: entries 2 to 4 are missing here"),
        (inserted, "", "line 5: entry 2 is in the place of entry 5"),
        (
            without(4, 6),
            head.as_str(),
            "the log ends at entry 4, but its head is 6: the last 2 are missing",
        ),
        (
            without(0, 6),
            &head,
            "the log ends at entry 0, but its head is 6: the last 6 are missing",
        ),
        (
            lines.clone(),
            &earlier.replace("3:", "4:"),
            "entry 4 is not the one",
        ),
    ] {
        fs::write(auditor.stage.path("audit.jsonl"), made.concat()).unwrap();
        let flags = match flags {
            "" => String::new(),
            head => format!("--head {head}"),
        };
        for flags in [flags.clone(), format!("{flags} --json")] {
            auditor.verify(&flags).refused(&["audit.jsonl: ", says]);
        }
    }
    // A truncated log is also detected by the collector's head.
    fs::write(auditor.stage.path("audit.jsonl"), lines[..5].concat()).unwrap();
    let url = auditor.stage.url();
    auditor
        .verify(&format!("--collector {url}"))
        .refused(&["audit.jsonl: ", "its head is 6: the last one is missing"]);
    auditor.verify("").ok();
}

#[test]
fn python_verifies_the_hash_chain() {
    let python = std::env::var("SORDINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if Command::new(&python).arg("--version").output().is_err() {
        return skipped("python_verifies_the_hash_chain", &python);
    }
    let auditor = Auditor::new();
    // A name that JSON spells in more than one way.
    let name = "Büro „Süd“ / \\ \u{1d11e}";
    let token = auditor.stage.token_of(name, &[Purpose::QualityAssurance]);
    fs::write(auditor.stage.path("token"), token).unwrap();
    for pull in 0..3 {
        auditor.stage.pull(&format!("data-{pull}"), "bundle");
    }
    auditor.fetch();
    assert_eq!(auditor.entries()[1]["reader"], name);
    let oracle = |head: &str| {
        let line = format!("{ORACLE} audit.jsonl {head}");
        CommandResult::run(&mut auditor.stage.command_of(&python, &line), &line)
    };
    let shown = PROTOCOL
        .split("```")
        .find_map(|part| part.strip_prefix("python\n"));
    fs::write(auditor.stage.path("shown.py"), shown.unwrap()).unwrap();
    let shown = || {
        let line = "shown.py audit.jsonl";
        CommandResult::run(&mut auditor.stage.command_of(&python, line), line)
    };
    let head = auditor.head();
    let root = auditor.verify("--json").ok().document()["root"].clone();
    let expected = format!("{head}\n3:{}", root.as_str().unwrap());
    for ran in [oracle(""), oracle(&head), shown()] {
        assert_eq!(ran.ok().stdout.trim_end(), expected);
    }
    let lines = auditor.lines();
    let mut swapped = lines.clone();
    swapped.swap(0, 1);
    for (made, line) in [
        (lines.concat().replacen("Süd", "Sud", 1), 1),
        ([&lines[..1], &lines[2..]].concat().concat(), 2),
        (swapped.concat(), 1),
    ] {
        fs::write(auditor.stage.path("audit.jsonl"), made).unwrap();
        let found = oracle("");
        assert_eq!(found.status, Some(1), "{found:?}");
        assert!(
            found.stderr.starts_with(&format!("line {line}: ")),
            "{found:?}"
        );
        assert_eq!(shown().status, Some(1));
        auditor.verify("").refused(&[&format!("line {line}: ")]);
    }
    fs::write(auditor.stage.path("audit.jsonl"), lines[..2].concat()).unwrap();
    let found = oracle(&head);
    assert!(found.stderr.contains("the log's head is 2:"), "{found:?}");
    auditor
        .verify(&format!("--head {head}"))
        .refused(&["the last one is missing"]);
}

/// The collector's operator rewrites its log: the old log, or only its head, shows it.
#[test]
fn a_rewritten_collector_log_is_detected_by_an_older_copy() {
    let mut auditor = Auditor::with_hand_outs(2);
    let (kept, head) = (auditor.text(), auditor.head());
    auditor.stage.stop_collector();
    fs::rename(
        auditor.stage.path("collected"),
        auditor.stage.path("before"),
    )
    .unwrap();
    auditor.stage.start_collector();
    fs::write(
        auditor.stage.path("token"),
        auditor.stage.token(&Purpose::ALL),
    )
    .unwrap();
    let url = auditor.stage.url();
    let against_collector = format!("--collector {url}");
    let shorter = "had 2 entries and has 0 now: entries were removed";
    auditor
        .fetch_with("token")
        .refused(&["audit.jsonl: ", &url, shorter]);
    auditor
        .verify(&against_collector)
        .refused(&["audit.jsonl: ", &url, shorter]);

    // As many entries again, and then one more, of other samples.
    auditor.add_sample("other");
    for pull in 0..2 {
        auditor.stage.pull(&format!("rewritten-{pull}"), "bundle");
    }
    let changed = "has 2 entries as before, but they were changed";
    auditor
        .fetch_with("token")
        .refused(&["audit.jsonl: ", &url, changed]);
    auditor
        .verify(&against_collector)
        .refused(&["audit.jsonl: ", &url, changed]);
    auditor.stage.pull("rewritten-2", "bundle");
    auditor.fetch_with("token").refused(&[
        "audit.jsonl: ",
        &url,
        "line 3: it does not follow the previous entry",
    ]);
    assert_eq!(auditor.text(), kept);

    let line = format!("audit fetch --collector {url} --token-file token --out rewritten.jsonl");
    assert_eq!(auditor.stage.json(&line)["entries"], 3);
    auditor.stage.sordino("audit verify rewritten.jsonl").ok();
    auditor
        .stage
        .sordino(&format!("audit verify rewritten.jsonl --head {head}"))
        .refused(&["rewritten.jsonl: entry 2 is not the one that the head names"]);
}
