//! Text that tries to become markup.

use proptest::prelude::*;
use sordino_scoring::{Confusion, ConfusionMatrix};

use super::*;

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
                description: text(),
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
