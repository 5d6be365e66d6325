//! The worst notes, and that two programs find the same.

use serde_json::{Value, json};

use super::{TestDataset, clips};

#[test]
fn the_worst_note_is_first_and_rows_of_few_people_are_last() {
    let mut all = clips(8);
    for clip in &mut all {
        // C4 is recognized as C sharp for every person.
        clip.recognized[0].0 = 61;
        // G4 nobody misses but one.
        if clip.record == 0 {
            clip.recognized.pop();
        }
    }
    all[0].expected.push((90, 9.5));
    let dataset = TestDataset::of(&all);
    let result = dataset.run(&["--json", "query", "data"]).ok().document();
    assert_eq!(result[0]["trigger"], "random");
    let rows = result[0]["rows"].as_array().unwrap();
    assert_eq!(rows[0]["midi"], 60);
    assert_eq!(rows[0]["value"], 0.0);
    assert_eq!(
        (&rows[0]["wrong"], &rows[0]["records"]),
        (&json!(16), &json!(8))
    );
    let [low, high] = [0, 1].map(|end| rows[0]["interval"][end].as_f64().unwrap());
    assert!(low == 0.0 && 0.2 < high && high < 0.6, "{low} {high}");
    // Played by one person, it has no interval, and its people are not counted.
    let last = rows.last().unwrap();
    assert_eq!(last["midi"], 90);
    assert_eq!(
        (&last["interval"], &last["records"]),
        (&Value::Null, &Value::Null)
    );
    let text = dataset
        .run(&["query", "data", "--metric", "wrong", "--worst", "1"])
        .ok()
        .stdout;
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("C4 (60)") && text.contains("1.000"), "{text}");
    let text = dataset
        .run(&["query", "data", "--by", "exercise,note"])
        .ok()
        .stdout;
    assert!(
        text.contains("etude/1") && text.contains("too few people"),
        "{text}"
    );
    dataset
        .run(&["query", "data", "--trigger", "mark"])
        .refused(&["no such sample"]);
}

#[test]
fn clips_are_weighted_by_selection_probability() {
    let mut all = clips(6);
    for (place, clip) in all.iter_mut().enumerate() {
        clip.probability = if place % 2 == 0 { 0.1 } else { 0.4 };
        clip.tag = None;
        if place % 2 == 0 {
            clip.recognized.clear();
        }
    }
    let dataset = TestDataset::of(&all);
    let result = dataset.run(&[
        "--json", "query", "data", "--by", "exercise", "--metric", "missed",
    ]);
    let row = &result.ok().document()[0]["rows"][0];
    assert_eq!(row["exercise"], "(no tag)");
    // Weights of 10 and 2.5.
    assert!((row["value"].as_f64().unwrap() - 0.8).abs() < 1e-9, "{row}");
    assert_eq!((&row["missed"], &row["expected"]), (&json!(48), &json!(96)));
}
