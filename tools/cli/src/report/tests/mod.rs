#![allow(clippy::unwrap_used)]

mod hostile_text;
mod pictures;
mod preview;

use serde::Deserialize;
use sordino::{
    anonymize::Span,
    sampler::{Annotation, Note},
};
use sordino_scoring::ONSET_TOLERANCE;

use super::{model::Removed, *};

/// Writes the report on the shipped recordings, with spans laid by the truth that ships with them,
/// to `target/report-preview.html`, for eyes.
#[test]
fn the_shipped_recordings_make_a_report_below_15_megabytes() {
    let page = html(&preview::report());
    let target = preview::workspace().join("target");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join("report-preview.html"), &page).unwrap();
    assert!(page.len() > 1_000_000, "{} bytes", page.len());
    assert!(page.len() < 15_000_000, "{} bytes", page.len());
    assert_self_contained(&page);
    parse(&page);
}

#[test]
fn invalid_sounds_and_spans_still_make_a_page() {
    let sounds = [
        Sound::default(),
        Sound {
            samples: vec![f32::NAN; 100],
            rate: 16_000,
        },
        Sound {
            samples: vec![f32::INFINITY, 1e30, -4.0],
            rate: 1,
        },
        Sound {
            samples: vec![0.5],
            rate: 16_000,
        },
        Sound {
            samples: vec![0.5; 10],
            rate: 0,
        },
        Sound {
            samples: vec![0.5; 1_000],
            rate: 384_000,
        },
    ];
    let samples = sounds
        .iter()
        .map(|sound| SampleView {
            before: Some(sound.clone()),
            after: Some(sound.clone()),
            kept: vec![Span(f64::NAN, 1.0), Span(3.0, 2.0), Span(-1.0, 1e300)],
            removed: vec![
                Removed {
                    start_s: f64::NEG_INFINITY,
                    end_s: f64::NAN,
                    reason: "a".into(),
                },
                Removed {
                    start_s: 0.0,
                    end_s: f64::MAX,
                    reason: "b".into(),
                },
            ],
            annotation: Some(Annotation {
                expected: vec![Note {
                    midi: 255,
                    onset: f64::NAN,
                    offset: Some(-1.0),
                }],
                recognized: vec![Note {
                    midi: 0,
                    onset: 1e30,
                    offset: None,
                }],
                tag: None,
            }),
            ..SampleView::default()
        })
        .collect();
    let page = html(&Report {
        sections: vec![Section::Device(DeviceSection {
            samples,
            ..DeviceSection::default()
        })],
        ..Report::default()
    });
    parse(&page);
    assert!(!page.contains("NaN") && !page.contains("inf%"));
}

#[test]
fn an_octave_error_is_a_wrong_note_and_not_a_missed_one() {
    let note = |midi, onset| Note {
        midi,
        onset,
        offset: None,
    };
    let annotation = Annotation {
        expected: vec![note(60, 1.0), note(62, 2.0), note(64, 3.0)],
        recognized: vec![note(60, 1.04), note(74, 2.03), note(50, 5.0)],
        tag: None,
    };
    assert_eq!(
        comparison::Comparison::new(&annotation, ONSET_TOLERANCE).summary(),
        "3 notes expected, 3 recognized: 1 right, 1 wrong (1 in another octave), 1 missed, 1 extra."
    );
}

/// A case of `tests/vectors/alignment`.
#[derive(Deserialize)]
struct AlignmentCase {
    name: String,
    tolerance: f64,
    expected: Vec<Note>,
    #[serde(rename = "recognised")]
    recognized: Vec<Note>,
    right: Vec<(usize, usize)>,
    wrong: Vec<(usize, usize)>,
    missed: Vec<usize>,
    extra: Vec<usize>,
}

/// The card of a sample has the counts of the tables.
#[test]
fn the_card_of_a_sample_counts_like_the_shared_cases() {
    const CASES: &str = include_str!("../../../../../tests/vectors/alignment/cases.json");
    let cases: Vec<AlignmentCase> = serde_json::from_str(CASES).unwrap();
    for case in cases {
        let annotation = Annotation {
            expected: case.expected,
            recognized: case.recognized,
            tag: None,
        };
        let summary = comparison::Comparison::new(&annotation, case.tolerance).summary();
        let said = |what: &str| {
            let parts = summary.split([':', ',', '.']);
            let counts = parts.filter_map(|part| part.trim().split_once(' '));
            counts
                .filter(|(_, words)| words.split(' ').next() == Some(what))
                .map(|(number, _)| number.parse::<usize>().unwrap())
                .sum::<usize>()
        };
        assert_eq!(
            ["right", "wrong", "missed", "extra"].map(said),
            [
                case.right.len(),
                case.wrong.len(),
                case.missed.len(),
                case.extra.len()
            ],
            "{}: {summary}",
            case.name
        );
    }
}

fn html(report: &Report) -> String {
    let mut page = Vec::new();
    write_html(report, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// The page without doctype, style and script, which are not XML, through a strict parser.
fn parse(page: &str) -> String {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    let mut markup = String::new();
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let (before, tail) = rest.split_once(open).unwrap();
        let (_, tail) = tail.split_once(close).unwrap();
        markup += before;
        rest = tail;
    }
    markup += rest;
    roxmltree::Document::parse(&markup).unwrap();
    markup
}

/// No attribute and no style asks for anything that is not in the page.
fn assert_self_contained(page: &str) {
    let markup = parse(page);
    let document = roxmltree::Document::parse(&markup).unwrap();
    for element in document.descendants().filter(|node| node.is_element()) {
        assert!(
            !["link", "iframe", "object", "embed", "base"].contains(&element.tag_name().name())
        );
        for attribute in element.attributes() {
            let value = attribute.value();
            match attribute.name() {
                "src" => assert!(value.starts_with("data:")),
                // A place in the page or a file near it: never a scheme or a host.
                "href" => assert!(value.starts_with('#') || is_relative(value), "{value}"),
                name => assert!(!name.starts_with("on") && !["srcset", "style"].contains(&name)),
            }
        }
    }
    let (_, style) = page.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"));
}

fn is_relative(url: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte);
    !url.starts_with('/') && url.bytes().all(plain)
}

fn tone(hertz: f32, rate: u32, seconds: f32) -> Sound {
    let samples = (0..(seconds * rate as f32) as usize)
        .map(|index| {
            let phase = f64::from(hertz) * index as f64 / f64::from(rate);
            (phase.fract() * std::f64::consts::TAU).sin() as f32 * 0.5
        })
        .collect();
    Sound { samples, rate }
}
