//! The page of a dataset.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;
use serde_json::json;

use super::{TestDataset, clips};
use crate::support::{Clip, clip_id};

fn page(dataset: &TestDataset, name: &str) -> String {
    fs::read_to_string(dataset.path(name)).unwrap()
}

fn all_of(pattern: &str, page: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern
        .captures_iter(page)
        .map(|found| found[1].to_owned())
        .collect()
}

#[test]
fn each_sample_has_an_anchor_and_a_link_to_its_file() {
    let dataset = TestDataset::of(&clips(3));
    fs::create_dir_all(dataset.path("pages/a b")).unwrap();
    for out in ["data/report.html", "pages/a b/page.html", "page.html"] {
        let result = dataset
            .run(&["--json", "report", "data", "--out", out, "--worst", "2"])
            .ok();
        assert_eq!(
            result.document(),
            json!({"report": out, "samples": 6, "shown": 2})
        );
        let page = page(&dataset, out);
        let places: BTreeSet<String> = all_of("id=\"sample-([0-9a-f]{32})\"", &page)
            .into_iter()
            .collect();
        assert_eq!(places, (0..6).map(clip_id).collect());
        let files = all_of("href=\"([^\"#]+)\"", &page);
        assert_eq!(files.len(), 6);
        let folder = dataset.path(out);
        let folder = folder.parent().unwrap();
        for file in files {
            assert!(folder.join(&file).is_file(), "{out}: {file}");
            assert!(Path::new(&file).is_relative() && !file.contains(':'));
        }
        assert_eq!(all_of("(<img )", &page).len(), 2, "the others are rows");
    }
}

#[test]
fn the_error_map_counts_each_note_once() {
    let mut all = clips(6);
    for clip in &mut all {
        // E4 taken for F4; the last missed; A2 made up.
        clip.recognized[4].0 = 66;
        clip.recognized.pop();
        clip.recognized.push((45, 9.5));
    }
    all[0].trigger = "mark";
    let dataset = TestDataset::of(&all);
    dataset.run(&["report", "data"]).ok();
    let page = page(&dataset, "data/report.html");
    // Eleven drawn clips, and one that was marked.
    assert_eq!(all_of("(<table class=\"matrix\">)", &page).len(), 2);
    let cells = |class: &str| {
        all_of(
            &format!("<td class=\"{class} l[0-9]\"[^>]*>([0-9]+)</td>"),
            &page,
        )
    };
    // Six right, of two maps.
    assert_eq!(cells("hit"), [vec!["11"; 6], vec!["1"; 6]].concat());
    assert_eq!(cells("miss"), [vec!["11"; 3], vec!["1"; 3]].concat());
    assert!(
        page.contains("weighted 22, 100.0 % of the row"),
        "a weight of 2 each"
    );
    assert!(page.contains("Most frequent errors, random clips"));
    assert!(
        page.contains("<td>&#60;5</td>") && page.contains("too few people"),
        "of the marked one"
    );
}

#[test]
fn a_large_report_stays_small_and_draws_the_worst_samples() {
    let mut all: Vec<Clip> = Vec::new();
    while all.len() < 3_000 {
        all.extend(clips(20));
    }
    all[1_234].recognized.clear();
    let dataset = TestDataset::of(&all);
    let result = dataset
        .run(&["--json", "report", "data", "--worst", "5"])
        .ok()
        .document();
    assert_eq!(result["shown"], 5);
    let page = page(&dataset, "data/report.html");
    assert!(page.len() < 4_000_000, "{} bytes", page.len());
    let drawn = all_of("<h3 id=\"sample-([0-9a-f]{32})\"", &page);
    assert_eq!(drawn[0], clip_id(1_234));
    assert!(
        page.contains("The 5 samples with most errors are drawn; the other 3000 rows")
            || page.contains(&format!("the other {} are rows", all.len() - 5))
    );
}

#[test]
fn the_policy_allows_every_style_and_script_of_the_page() {
    let dataset = TestDataset::of(&clips(2));
    dataset.run(&["report", "data"]).ok();
    let page = page(&dataset, "data/report.html");
    let policy = &all_of("Content-Security-Policy\" content=\"([^\"]*)\"", &page)[0];
    let policy = policy.replace("&#39;", "'");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(!page.contains(" style=\"") && !page.contains(" onclick"));
}
