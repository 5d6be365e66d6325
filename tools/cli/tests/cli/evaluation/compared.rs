//! Scores, baselines and changes.

use std::fs;

use serde_json::{Value, json};

use super::{TestDataset, all_right, clips, some_missing};
use crate::support::clip_id;

#[test]
fn a_perfect_recognizer_scores_1_against_the_app_baseline() {
    let mut all = clips(8);
    for clip in &mut all {
        clip.recognized.truncate(4);
    }
    let dataset = TestDataset::of(&all);
    let right = dataset.recognizer("right", &all_right(&all));
    let result = dataset
        .evaluate(&right, &["--baseline", "manifest", "--json"])
        .ok()
        .document();
    assert_eq!(result["samples"], 16);
    assert_eq!(
        (&result["records"], &result["failed"]),
        (&json!(8), &json!(0))
    );
    let group = &result["groups"][0];
    assert_eq!(group["trigger"], "random");
    for figure in ["precision", "recall", "f1", "f1_with_offset", "overlap"] {
        assert_eq!(group["all"][figure]["value"], 1.0, "{figure}");
    }
    let change = &group["all"]["change"];
    // Four of eight notes: F1 of 2·4 / (4 + 8).
    assert!((change["before"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
    // All of 2^8 assignments of signs but two are nearer to 0.
    assert_eq!(change["p"], 2.0 / 256.0);
    assert_eq!(change["exact"], true);
    assert_eq!(group["exercises"]["etude/1"], group["all"]);
    // The same in lines.
    let text = dataset.evaluate(&right, &[]).ok().stdout;
    assert!(
        text.starts_with("16 samples of 8 consent records, 128 expected notes"),
        "{text}"
    );
    assert!(
        text.contains("random   samples  precision  recall"),
        "{text}"
    );
}

#[test]
fn only_a_regression_fails_the_run() {
    let all = clips(8);
    let dataset = TestDataset::of(&all);
    let right = dataset.recognizer("right", &all_right(&all));
    let worse = dataset.recognizer("worse", &some_missing(&all));
    let eval = |with: &str, more: &[&str]| {
        let words = [&["evaluate", "data", "--with", with], more].concat();
        dataset.run(&words)
    };
    eval(&right, &["--out", "before.json"]).ok();
    eval(&worse, &["--out", "worse.json"]).ok();
    let before = fs::read_to_string(dataset.path("before.json")).unwrap();
    // The format of earlier versions.
    let earlier = before.replace("sordino evaluate", "sordino recognise-eval");
    assert_ne!(earlier, before);
    dataset.write("earlier.json", &earlier);
    eval(&right, &["--baseline", "earlier.json"]).ok();
    let gate = ["--baseline", "before.json", "--fail-if-worse"];
    eval(&right, &gate).ok();
    let ran = eval(&worse, &gate);
    ran.failed(&[
        "worse than the baseline",
        "random clips fell from 1.000 to 0.",
        "p = 0.01",
    ]);
    assert!(ran.stdout.contains("before"), "{}", ran.stdout);
    // Without the gate it is reported, and the run succeeds.
    eval(&worse, &gate[..2]).ok();
    eval(&right, &["--baseline", "worse.json", "--fail-if-worse"]).ok();
    // The output has no notes, exercises or consent records.
    let written = fs::read_to_string(dataset.path("before.json")).unwrap();
    assert!(
        written.contains(&clip_id(0)) && !written.contains("etude"),
        "{written}"
    );
    assert!(!written.contains("onset") && !written.contains("consent"));
}

#[test]
fn five_people_are_too_few_for_significance() {
    let all = clips(5);
    let dataset = TestDataset::of(&all);
    let nothing = dataset.recognizer("nothing", &vec![Vec::new(); 10]);
    let text = dataset
        .evaluate(&nothing, &["--baseline", "manifest", "--fail-if-worse"])
        .ok()
        .stdout;
    assert!(
        text.contains("5 consent records are too few for any difference"),
        "{text}"
    );
    let few = TestDataset::of(&clips(4));
    let nothing = few.recognizer("nothing", &vec![Vec::new(); 8]);
    let text = few.evaluate(&nothing, &[]).ok().stdout;
    assert!(text.contains("too few people"), "{text}");
}

#[test]
fn new_failures_of_the_recognizer_fail_the_run() {
    let all = clips(6);
    let dataset = TestDataset::of(&all);
    let right = dataset.recognizer("right", &all_right(&all));
    dataset.evaluate(&right, &["--out", "before.json"]).ok();
    fs::remove_file(dataset.path(&format!("right-{}", clip_id(3)))).unwrap();
    let words = [
        "evaluate",
        "data",
        "--with",
        &right,
        "--baseline",
        "before.json",
    ];
    let ran = dataset.run(&words);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.stderr.contains("1 of 12 samples failed") && ran.stderr.contains(&clip_id(3)),
        "{ran:?}"
    );
    // The sample is excluded from all figures: the others are all right.
    let result = dataset.run(&[&["--json"], &words[..]].concat()).document();
    assert_eq!(result["groups"][0]["all"]["f1"]["value"], 1.0);
    assert_eq!(result["groups"][0]["all"]["samples"], 11);
    dataset
        .run(&[&words[..], &["--fail-if-worse"]].concat())
        .failed(&[
            "worse than the baseline",
            "fails for 1 samples",
            &clip_id(3),
        ]);
}

#[test]
fn notes_are_scored_in_the_time_of_the_stored_sound() {
    let mut all = clips(1);
    // Seconds 2.5 to 5.5 were taken out, with the notes at 3, 4 and 5.
    for clip in &mut all {
        clip.kept = vec![(0.5, 2.5), (5.5, 10.0)];
    }
    let dataset = TestDataset::of(&all);
    let heard: Vec<(u8, f64)> = [(60, 0.5), (61, 1.5), (65, 2.5), (66, 3.5), (67, 4.5)].to_vec();
    let with = dataset.recognizer("cut", &[heard.clone(), heard]);
    let result = dataset
        .evaluate(&with, &["--baseline", "manifest", "--json"])
        .ok();
    let result = result.document();
    assert_eq!(
        (&result["expected"], &result["left_out"]),
        (&json!(10), &json!(6))
    );
    let all = &result["groups"][0]["all"];
    assert_eq!(all["f1"]["value"], 1.0);
    assert_eq!(all["change"]["before"], 1.0);
}

#[test]
fn marked_and_random_clips_are_separate_and_weighted() {
    let mut all = clips(6);
    for (place, clip) in all.iter_mut().enumerate() {
        clip.trigger = if place % 4 == 3 { "mark" } else { "random" };
        // Each person's first clip stands for four times as many moments as the second.
        clip.probability = if place % 2 == 0 { 0.125 } else { 0.5 };
    }
    let dataset = TestDataset::of(&all);
    let printed: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(place, clip)| {
            if place % 2 == 0 {
                clip.expected.clone()
            } else {
                Vec::new()
            }
        })
        .collect();
    let with = dataset.recognizer("half", &printed);
    let result = dataset.evaluate(&with, &["--json"]).ok().document();
    let groups: Vec<&str> = result["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["trigger"].as_str().unwrap())
        .collect();
    assert_eq!(groups, ["random", "mark"]);
    // Six at weight 8, all right; three at weight 2, nothing recognized.
    let value = |group: usize| {
        result["groups"][group]["all"]["f1"]["value"]
            .as_f64()
            .unwrap()
    };
    assert!((value(0) - 48.0 / 54.0).abs() < 1e-9);
    assert_eq!(value(1), 0.0);
}

#[test]
fn a_split_is_evaluated_alone_and_the_three_are_all() {
    let all = clips(40);
    let dataset = TestDataset::of(&all);
    let right = dataset.recognizer("right", &all_right(&all));
    let samples = |split: &str| -> u64 {
        let result = dataset.evaluate(&right, &["--split", split, "--json"]);
        result.ok().document()["samples"].as_u64().unwrap()
    };
    let counts = ["train", "validation", "test"].map(samples);
    assert_eq!(counts.iter().sum::<u64>(), 80, "{counts:?}");
    assert!(counts[0] > counts[1] + counts[2], "{counts:?}");
    dataset
        .evaluate(&right, &["--split", "nonsense"])
        .refused(&["no sample", "nonsense"]);
}

#[test]
fn any_number_of_jobs_gives_the_same_result() {
    let all = clips(6);
    let dataset = TestDataset::of(&all);
    let worse = dataset.recognizer("worse", &some_missing(&all));
    let with = |jobs: &str| -> Value {
        let words = [
            "--json",
            "evaluate",
            "data",
            "--with",
            &worse,
            "--baseline",
            "manifest",
            "--jobs",
            jobs,
        ];
        dataset.run(&words).ok().document()
    };
    assert_eq!(with("1"), with("7"));
}
