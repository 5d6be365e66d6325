#![allow(clippy::unwrap_used)]

mod preview;

use proptest::prelude::*;
use serde::Deserialize;
use sordino::{
    anonymize::Span,
    sampler::{Annotation, Note},
};
use sordino_scoring::{Confusion, ConfusionMatrix, ONSET_TOLERANCE};

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
fn a_1_khz_tone_is_brightest_in_the_row_of_1_khz() {
    for rate in [8_000, 16_000, 44_100, 48_000] {
        let sound = tone(1_000.0, rate, 2.0).prepared().unwrap();
        let whole = timeline::Timeline::whole(2.0);
        let png = picture::spectrogram(&sound, &whole, 2.0).unwrap();
        let pixels = decode(&png);
        let column: Vec<u8> = (0..picture::ROWS)
            .map(|row| pixels[row * picture::COLUMNS + picture::COLUMNS / 2])
            .collect();
        let loudest = (0..picture::ROWS).max_by_key(|&row| column[row]).unwrap();
        let due = picture::height_of(1_000.0) * picture::ROWS as f64;
        assert!(
            (loudest as f64 + 0.5 - due).abs() <= 2.0,
            "{rate} Hz: row {loudest}, due {due:.1}"
        );
        // An octave away it is dark: at least 50 dB down.
        let octave = (picture::height_of(2_000.0) * picture::ROWS as f64) as usize;
        assert!(column[octave] < 18, "{rate} Hz: {}", column[octave]);
    }
}

#[test]
fn removed_parts_are_transparent_and_kept_parts_stay_in_place() {
    // One second of 500 Hz from 1 s, one of 2 kHz from 4 s.
    let mut samples = tone(500.0, 16_000, 1.0).samples;
    samples.extend(tone(2_000.0, 16_000, 1.0).samples);
    let sound = Sound {
        samples,
        rate: 16_000,
    };
    let kept = [Span(1.0, 2.0), Span(4.0, 5.0)];
    let timeline = timeline::Timeline::of_kept(&kept, sound.seconds());
    let pixels = decode(&picture::spectrogram(&sound, &timeline, 5.0).unwrap());
    let at = |seconds: f64, hertz: f64| {
        let row = (picture::height_of(hertz) * picture::ROWS as f64) as usize;
        pixels[row * picture::COLUMNS + (seconds / 5.0 * picture::COLUMNS as f64) as usize]
    };
    assert!(at(1.5, 500.0) > 50 && at(1.5, 500.0) < 64);
    assert!(at(4.5, 2_000.0) > 50 && at(4.5, 2_000.0) < 64);
    for gap in [0.5, 2.5, 3.5] {
        assert_eq!(at(gap, 500.0), 64);
    }
}

#[test]
fn resampling_keeps_tones_below_the_new_limit() {
    let power = |sound: &Sound| {
        let sum: f32 = sound.samples.iter().map(|sample| sample * sample).sum();
        sum / sound.samples.len() as f32
    };
    let kept = tone(5_000.0, 48_000, 1.0).prepared().unwrap();
    assert_eq!((kept.rate, kept.samples.len()), (16_000, 16_000));
    assert!((power(&kept) / 0.125 - 1.0).abs() < 0.01);
    let lost = tone(11_000.0, 48_000, 1.0).prepared().unwrap();
    assert!(power(&lost) < 1e-5, "{}", power(&lost));
}

#[test]
fn the_player_has_the_same_samples() {
    let sound = tone(440.0, 16_000, 1.0);
    let uri = sound.data_uri().unwrap();
    let packed = uri.strip_prefix("data:audio/flac;base64,").unwrap();
    use base64::Engine as _;
    let flac = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .unwrap();
    let mut reader = claxon::FlacReader::new(&flac[..]).unwrap();
    assert_eq!(reader.streaminfo().sample_rate, 16_000);
    let heard: Vec<i32> = reader.samples().map(Result::unwrap).collect();
    let due: Vec<i32> = sound
        .samples
        .iter()
        .map(|sample| (sample * 32_768.0).round() as i32)
        .collect();
    assert_eq!(heard, due);
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
struct Case {
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
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a text contains, the page has the elements and attributes that it has for plain
    /// texts, no more and no fewer, and the text itself comes out as text.
    #[test]
    fn hostile_text_is_escaped(hostile in hostile_text()) {
        let page = html(&filled_with(&hostile));
        let plain = html(&filled_with("plain"));
        prop_assert_eq!(skeleton(&page), skeleton(&plain));
        assert_self_contained(&page);
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("\"><img src=x onerror=alert(1)>".to_owned()),
        Just("' onmouseover='alert(1)".to_owned()),
        Just("</title></style></script><!--".to_owned()),
        Just("--> ]]> <![CDATA[".to_owned()),
        Just("&lt;&#60;&amp".to_owned()),
        Just("\0\u{1}\u{7f}\u{85}\u{fffe}\u{202e}".to_owned()),
        Just("x\n\ny".to_owned()),
        any::<String>(),
    ];
    // A letter first, so that no text is only white space, which leaves out a paragraph.
    prop::collection::vec(piece, 1..4)
        .prop_map(|pieces| format!("a{}", pieces.concat()).replace("\n\n", "\n"))
}

/// A report with `text` in each place that takes one.
fn filled_with(text: &str) -> Report {
    let text = || text.to_owned();
    let fact = || Fact::new(text(), text());
    let sample = SampleView {
        name: text(),
        outcome: SampleStatus {
            disposition: Disposition::Sent,
            text: text(),
        },
        after: Some(Sound {
            samples: vec![0.1; 160],
            rate: 16_000,
        }),
        kept: vec![Span(0.0, 0.01)],
        removed: vec![Removed {
            start_s: 0.01,
            end_s: 0.1,
            reason: text(),
        }],
        annotation: Some(Annotation {
            expected: vec![Note {
                midi: 60,
                onset: 0.0,
                offset: None,
            }],
            recognized: Vec::new(),
            tag: Some(text()),
        }),
        verdicts: vec![ReviewView {
            who: text(),
            verdict: text(),
            note: text(),
        }],
        facts: vec![fact()],
        ..SampleView::default()
    };
    let list = List {
        title: text(),
        intro: text(),
        items: vec![Item {
            what: text(),
            why: text(),
        }],
        otherwise: text(),
    };
    let empty = List {
        items: Vec::new(),
        ..list.clone()
    };
    Report {
        title: text(),
        intro: text(),
        facts: vec![fact()],
        maps: vec![ErrorMap {
            title: text(),
            intro: text(),
            matrix: ConfusionMatrix {
                cells: [((Some(60), None), Confusion::default())].into(),
            },
        }],
        tables: vec![Table {
            caption: text(),
            columns: vec![text(), text()],
            rows: vec![vec![text(), text()]],
        }],
        sections: vec![
            Section::Device(DeviceSection {
                name: text(),
                story: text(),
                counters: vec![fact()],
                samples: vec![sample],
            }),
            Section::List(list),
            Section::List(empty),
            Section::Listing(Listing {
                intro: text(),
                table: Table {
                    caption: text(),
                    columns: vec![text(), text()],
                    rows: vec![vec![text(), text()]],
                },
                links: vec![Link {
                    anchor: "sample-1".to_owned(),
                    href: "audio/1.flac".to_owned(),
                }],
            }),
        ],
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

/// Elements and the names of their attributes, in order.
fn skeleton(page: &str) -> Vec<String> {
    let markup = parse(page);
    let document = roxmltree::Document::parse(&markup).unwrap();
    let elements = document.descendants().filter(|node| node.is_element());
    elements
        .map(|element| {
            let names: Vec<&str> = element.attributes().map(|each| each.name()).collect();
            format!("{} {}", element.tag_name().name(), names.join(" "))
        })
        .collect()
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

/// The color indices of a PNG.
fn decode(png: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels.len(), picture::COLUMNS * picture::ROWS);
    pixels
}
