//! `audit fetch` and `audit verify`.

use std::{fs, process::Command};

use serde_json::json;
use sordino::Purpose;

use crate::support::{Desk, Ran, skipped};

/// What docs/protocol.md shows.
const PROTOCOL: &str = include_str!("../../../../../docs/protocol.md");
const ORACLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/python/verify_audit_log.py"
);

#[test]
fn what_a_pull_was_handed_stands_in_the_log_where_the_person_finds_it() {
    let desk = Desk::new();
    assert_eq!(
        desk.fetch(),
        json!({"entries": 0, "hash": "0".repeat(64), "fetched": 0})
    );
    let empty = format!("0:{}", "0".repeat(64));
    desk.verify(&format!("--head {empty}")).ok();
    desk.stage.pull("data", "bundle");
    let fetched = desk.fetch();
    assert_eq!(
        (&fetched["entries"], &fetched["fetched"]),
        (&1.into(), &1.into())
    );

    let [entry] = desk.entries().try_into().unwrap();
    assert_eq!(
        (&entry["sample"], &entry["reader"]),
        (&desk.sample.clone().into(), &"desk".into())
    );
    let line = format!("device d accesses {}", desk.sample);
    let answer = desk.stage.json(&line);
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
    let told = desk.stage.sordino(&line).ok().stdout;
    // What the person's device kept is held against the whole log.
    assert!(
        told.contains(&format!("root of the log  1:{root}")),
        "{told}"
    );
    desk.stage.pull("again", "bundle");
    desk.fetch();
    let verified = desk.verify(&format!("--root 1:{root}")).ok().stdout;
    assert!(
        verified.contains("its first 1 entry have the root"),
        "{verified}"
    );
    let other = format!("1:{}", "0".repeat(64));
    desk.verify(&format!("--root {other}"))
        .refused(&["audit.jsonl: its first 1 entries have another root"]);
    desk.verify(&format!("--root 3:{root}"))
        .refused(&["the log ends at entry 2, but its head is 3"]);
    let head = format!("1:{}", entry["hash"].as_str().unwrap());
    assert!(
        told.contains("entry 1 of the log") && told.contains(&head),
        "{told}"
    );
}

#[test]
fn a_log_that_is_fetched_again_goes_on_and_holds_every_earlier_head() {
    let desk = Desk::new();
    let mut heads: Vec<String> = Vec::new();
    let mut before = Vec::new();
    for entries in 1..4 {
        desk.stage.pull(&format!("data-{entries}"), "bundle");
        let fetched = desk.fetch();
        assert_eq!(
            (&fetched["entries"], &fetched["fetched"]),
            (&entries.into(), &1.into())
        );
        let text = desk.text();
        assert!(text.starts_with(&before));
        before = text;
        heads.push(desk.head());
    }
    // Nothing new changes nothing.
    assert_eq!(desk.fetch()["fetched"], 0);
    assert_eq!(desk.text(), before);

    for head in &heads {
        let verified = desk
            .verify(&format!("--head {head} --json"))
            .ok()
            .document();
        let (entries, hash) = heads[2].split_once(':').unwrap();
        let line = format!("device d accesses {}", desk.sample);
        let root = desk.stage.json(&line)["head"]["root"].clone();
        assert_eq!(
            verified,
            json!({"entries": entries.parse::<u64>().unwrap(), "hash": hash, "root": root})
        );
    }
    let url = desk.stage.url();
    let against_collector = format!("--collector {url}");
    desk.verify(&against_collector).ok();
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
            "at entry 1; whether entries were cut off",
        ),
    ] {
        let told = desk.verify(flags).ok().stdout;
        assert!(
            told.starts_with("3 entries") && told.contains(says),
            "{told}"
        );
        assert!(told.trim_end().ends_with(&heads[2]), "{told}");
    }
}

#[test]
fn an_edit_a_removal_a_swap_an_insertion_and_a_cut_are_told_in_one_line() {
    let desk = Desk::with_hand_outs(6);
    let lines = desk.lines();
    let [head, earlier] = [desk.head(), desk.head_at(3)];
    let edited = lines[3].replace("desk", "dusk");
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
        (inserted, "", "line 5: entry 2 stands where entry 5 belongs"),
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
        fs::write(desk.stage.path("audit.jsonl"), made.concat()).unwrap();
        let flags = match flags {
            "" => String::new(),
            head => format!("--head {head}"),
        };
        for flags in [flags.clone(), format!("{flags} --json")] {
            desk.verify(&flags).refused(&["audit.jsonl: ", says]);
        }
    }
    // What was cut off at the end is found by the collector's head too.
    fs::write(desk.stage.path("audit.jsonl"), lines[..5].concat()).unwrap();
    let url = desk.stage.url();
    desk.verify(&format!("--collector {url}"))
        .refused(&["audit.jsonl: ", "its head is 6: the last one is missing"]);
    desk.verify("").ok();
}

#[test]
fn the_chain_is_what_a_few_lines_of_python_take_it_for() {
    let python = std::env::var("SORDINO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if Command::new(&python).arg("--version").output().is_err() {
        return skipped(
            "the_chain_is_what_a_few_lines_of_python_take_it_for",
            &python,
        );
    }
    let desk = Desk::new();
    // A name that JSON spells in more than one way.
    let name = "Büro „Süd“ / \\ \u{1d11e}";
    let token = desk.stage.token_of(name, &[Purpose::QualityAssurance]);
    fs::write(desk.stage.path("token"), token).unwrap();
    for pull in 0..3 {
        desk.stage.pull(&format!("data-{pull}"), "bundle");
    }
    desk.fetch();
    assert_eq!(desk.entries()[1]["reader"], name);
    let oracle = |head: &str| {
        let line = format!("{ORACLE} audit.jsonl {head}");
        Ran::of(&mut desk.stage.command_of(&python, &line), &line)
    };
    let shown = PROTOCOL
        .split("```")
        .find_map(|part| part.strip_prefix("python\n"));
    fs::write(desk.stage.path("shown.py"), shown.unwrap()).unwrap();
    let shown = || {
        let line = "shown.py audit.jsonl";
        Ran::of(&mut desk.stage.command_of(&python, line), line)
    };
    let head = desk.head();
    let root = desk.verify("--json").ok().document()["root"].clone();
    let expected = format!("{head}\n3:{}", root.as_str().unwrap());
    for ran in [oracle(""), oracle(&head), shown()] {
        assert_eq!(ran.ok().stdout.trim_end(), expected);
    }
    let lines = desk.lines();
    let mut swapped = lines.clone();
    swapped.swap(0, 1);
    for (made, line) in [
        (lines.concat().replacen("Süd", "Sud", 1), 1),
        ([&lines[..1], &lines[2..]].concat().concat(), 2),
        (swapped.concat(), 1),
    ] {
        fs::write(desk.stage.path("audit.jsonl"), made).unwrap();
        let found = oracle("");
        assert_eq!(found.status, Some(1), "{found:?}");
        assert!(
            found.stderr.starts_with(&format!("line {line}: ")),
            "{found:?}"
        );
        assert_eq!(shown().status, Some(1));
        desk.verify("").refused(&[&format!("line {line}: ")]);
    }
    fs::write(desk.stage.path("audit.jsonl"), lines[..2].concat()).unwrap();
    let found = oracle(&head);
    assert!(found.stderr.contains("the log's head is 2:"), "{found:?}");
    desk.verify(&format!("--head {head}"))
        .refused(&["the last one is missing"]);
}

/// The collector's operator begins its log anew: who kept the old one, or only its head, finds it.
#[test]
fn a_collector_that_writes_its_log_anew_is_found_by_who_kept_the_log() {
    let mut desk = Desk::with_hand_outs(2);
    let (kept, head) = (desk.text(), desk.head());
    desk.stage.stop_collector();
    fs::rename(desk.stage.path("collected"), desk.stage.path("before")).unwrap();
    desk.stage.start_collector();
    fs::write(desk.stage.path("token"), desk.stage.token(&Purpose::ALL)).unwrap();
    let url = desk.stage.url();
    let against_collector = format!("--collector {url}");
    let shorter = "had 2 entries and has 0 now: entries were removed";
    desk.fetch_with("token")
        .refused(&["audit.jsonl: ", &url, shorter]);
    desk.verify(&against_collector)
        .refused(&["audit.jsonl: ", &url, shorter]);

    // As many entries again, and then one more, of other samples.
    desk.add_sample("other");
    for pull in 0..2 {
        desk.stage.pull(&format!("anew-{pull}"), "bundle");
    }
    let changed = "has 2 entries as before, but they were changed";
    desk.fetch_with("token")
        .refused(&["audit.jsonl: ", &url, changed]);
    desk.verify(&against_collector)
        .refused(&["audit.jsonl: ", &url, changed]);
    desk.stage.pull("anew-2", "bundle");
    desk.fetch_with("token").refused(&[
        "audit.jsonl: ",
        &url,
        "line 3: it does not follow on the entry before",
    ]);
    assert_eq!(desk.text(), kept);

    let line = format!("audit fetch --collector {url} --token-file token --out anew.jsonl");
    assert_eq!(desk.stage.json(&line)["entries"], 3);
    desk.stage.sordino("audit verify anew.jsonl").ok();
    desk.stage
        .sordino(&format!("audit verify anew.jsonl --head {head}"))
        .refused(&["anew.jsonl: entry 2 is not the one that the head names"]);
}
