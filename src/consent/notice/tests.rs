use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::{
    App, BundledNotice, Notice, NoticeError, NoticeTerms, language,
    reading::{self, Counts},
};
use crate::Purpose;

const DAYS: u32 = 365;

fn app() -> App {
    App::new("Etude", "privacy@etude.example").unwrap()
}

/// With each of the two sentences on how long samples are kept.
fn bundled(language: &str) -> BundledNotice {
    let terms = NoticeTerms {
        retention_days: [(Purpose::QualityAssurance, DAYS)].into(),
        ..DAYS.into()
    };
    Notice::bundled(1, language, &app(), terms).unwrap()
}

/// The running text of a notice: all but its title and headings.
fn body(notice: &BundledNotice) -> Vec<&str> {
    let paragraphs = notice.full().iter().flat_map(|section| &section.paragraphs);
    let mut body = vec![notice.short()];
    body.extend(paragraphs.map(String::as_str));
    body.extend(Purpose::ALL.map(|purpose| notice.purpose(purpose)));
    body
}

#[test]
fn all_languages_have_the_same_structure() {
    let shape = |language: &str| -> Vec<usize> {
        let notice = bundled(language);
        let sections = notice.full().iter();
        sections.map(|section| section.paragraphs.len()).collect()
    };
    for language in Notice::LANGUAGES {
        assert_eq!(shape(language), shape("en"), "{language}");
        let notice = bundled(language);
        assert_eq!(notice.language(), language);
        assert!(!notice.title().is_empty());
        for section in notice.full() {
            assert!(!section.heading.is_empty() && !section.paragraphs.is_empty());
        }
        for line in body(&notice) {
            assert!(!line.is_empty(), "{language}");
        }
        let sentences = Counts::from_paragraphs([notice.short()]).sentences;
        assert!((3..=5).contains(&sentences), "{language}: {sentences}");
    }
}

#[test]
fn every_file_has_all_members_and_placeholders() {
    for (name, json) in super::bundled::FILES {
        let file: Value = serde_json::from_str(json).unwrap();
        let members: Vec<&str> = file
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let expected = [
            "full", "kept", "language", "purposes", "short", "title", "unnamed",
        ];
        assert_eq!(
            members.into_iter().collect::<BTreeSet<_>>(),
            expected.into()
        );
        assert_eq!(file["language"], name);
        let purposes = Purpose::ALL.map(Purpose::as_str);
        let named = file["purposes"].as_object().unwrap().keys();
        assert_eq!(
            named.map(String::as_str).collect::<BTreeSet<_>>(),
            purposes.into()
        );

        let placeholders: BTreeSet<&str> = json
            .split('"')
            .flat_map(|text| text.split('{').skip(1).map(|rest| rest.split_once('}')))
            .filter_map(|cut| cut.map(|(placeholder, _)| placeholder))
            .collect();
        assert_eq!(
            placeholders,
            ["app", "contact", "days", "kept"].into(),
            "{name}"
        );
    }
}

#[test]
fn all_placeholders_are_substituted() {
    let days = 123;
    for language in Notice::LANGUAGES {
        let notice = Notice::bundled(7, language, &app(), days).unwrap();
        for put_in in ["Etude", "privacy@etude.example", "123"] {
            assert!(notice.text().contains(put_in), "{language}: {put_in}");
        }
        assert!(!notice.text().contains(['{', '}']), "{language}");
        assert_eq!(notice.notice().version(), 7);

        let unnamed = App::unnamed(language).unwrap();
        let neutral = Notice::bundled(1, language, &unnamed, days).unwrap();
        assert!(neutral.text().contains(unnamed.name()));
    }
    let tricky = App::new("{contact}", "{days}").unwrap();
    let notice = Notice::bundled(1, "en", &tricky, days).unwrap();
    assert!(notice.short().starts_with("{contact} listens"));
    assert!(notice.text().contains("go to: {days}\n"));
}

#[test]
fn each_purpose_states_its_retention_in_the_text() {
    use Purpose::{QualityAssurance, RecognitionResearch};
    for language in Notice::LANGUAGES {
        let kept = |days: &[(Purpose, u32)]| {
            let terms = NoticeTerms {
                retention_days: days.iter().copied().collect(),
                ..DAYS.into()
            };
            Notice::bundled(1, language, &app(), terms).unwrap()
        };
        let (open, limited) = (kept(&[]), kept(&[(QualityAssurance, 2160)]));
        assert!(
            limited.purpose(QualityAssurance).contains(" 2160 "),
            "{language}"
        );
        assert!(limited.text().contains(limited.purpose(QualityAssurance)));
        assert_ne!(
            open.purpose(QualityAssurance),
            limited.purpose(QualityAssurance)
        );
        assert_eq!(
            open.purpose(RecognitionResearch),
            limited.purpose(RecognitionResearch)
        );
        assert!(!limited.text().contains(['{', '}']), "{language}");
    }
    for days in [0, 3651] {
        let terms = NoticeTerms {
            retention_days: [(RecognitionResearch, days)].into(),
            ..DAYS.into()
        };
        let refused = Notice::bundled(1, "en", &app(), terms);
        assert!(matches!(refused, Err(NoticeError::Retention(refused)) if refused == days));
    }
}

#[test]
fn the_text_is_rendered_as_documented() {
    for language in Notice::LANGUAGES {
        let notice = bundled(language);
        let text = notice.text();
        assert_eq!(text, notice.notice().text());
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
        assert!(!text.contains(['\r', '\t', '\u{feff}']) && !text.contains("\n\n\n"));
        assert!(text.lines().all(|line| line.trim() == line), "{language}");
        // One spelling of each letter, so that one text has one hash: no combining marks.
        assert!(
            !text
                .chars()
                .any(|mark| ('\u{300}'..='\u{36f}').contains(&mark))
        );

        let mut blocks = text.strip_suffix('\n').unwrap().split("\n\n");
        assert_eq!(blocks.next(), Some(notice.title()));
        assert_eq!(blocks.next(), Some(notice.short()));
        for section in notice.full() {
            let mut lines = blocks.next().unwrap().split('\n');
            assert_eq!(lines.next(), Some(section.heading.as_str()));
            assert!(lines.eq(section.paragraphs.iter().map(String::as_str)));
        }
        for purpose in Purpose::ALL {
            assert_eq!(blocks.next(), Some(notice.purpose(purpose)));
        }
        assert_eq!(blocks.next(), None);
    }
}

#[test]
fn the_hash_covers_exactly_what_the_person_reads() {
    let hash = |language, app: &App, days| {
        let notice = Notice::bundled(1, language, app, days).unwrap();
        notice.notice().reference().sha256
    };
    let first = hash("en", &app(), DAYS);
    assert_eq!(first, hash("en-GB", &app(), DAYS), "another tag, one text");
    let other = App::new("Etude", "elsewhere@etude.example").unwrap();
    let others = [
        hash("de", &app(), DAYS),
        hash("en", &other, DAYS),
        hash("en", &app(), DAYS - 1),
    ];
    assert!(!others.contains(&first));
}

#[test]
fn the_nearest_language_is_used_and_a_fallback_is_reported() {
    let cases = [
        ("de", "de"),
        ("DE-at", "de"),
        ("pt-BR", "pt"),
        ("pt_BR", "pt"),
        ("sv-Latn-FI-u-ca-gregory", "sv"),
        ("nl-x-twelve", "nl"),
        (" fr-CA ", "fr"),
    ];
    for (asked, given) in cases {
        let notice = bundled(asked);
        assert_eq!((notice.language(), notice.fallback()), (given, None));
        assert_eq!(notice.asked_language(), asked);
    }
    for asked in [
        "da",
        "x-de",
        "*",
        "",
        "-",
        "deutsch",
        "i-klingon",
        "C",
        "a\nb",
    ] {
        let notice = bundled(asked);
        assert_eq!(notice.language(), "en", "{asked:?}");
        let fallback = notice.fallback().unwrap();
        assert_eq!(
            (fallback.asked.as_str(), fallback.given.as_str()),
            (asked, "en")
        );
        assert!(!fallback.to_string().contains('\n'), "one line");
    }
    assert_eq!(Notice::LANGUAGES[0], "en");
}

#[test]
fn the_lookup_takes_the_longest_that_fits() {
    // The example of RFC 4647, section 3.4: the steps that `zh-Hant-CN-x-private1-private2` goes.
    let asked = "zh-Hant-CN-x-private1-private2";
    let steps = ["zh-Hant-CN-x-private1", "zh-Hant-CN", "zh-Hant", "zh"];
    for first in 0..steps.len() {
        let found = language::lookup(asked, &steps[first..]);
        assert_eq!(found, Some(steps[first]));
    }
    assert_eq!(language::lookup(asked, &["zh-Hant-CN-x"]), None);
}

#[test]
fn a_name_or_contact_that_the_notice_cannot_show_is_refused() {
    let (name, contact) = ("Etude", "privacy@etude.example");
    for blank in ["", " ", "\u{a0}\n"] {
        let refused = App::new(blank, contact);
        assert!(matches!(refused, Err(NoticeError::Empty { field: "name" })));
        let refused = App::new(name, blank);
        assert!(matches!(
            refused,
            Err(NoticeError::Empty { field: "contact" })
        ));
    }
    for wrong in [
        "a\nb",
        "a\rb",
        "a\0b",
        "a\u{7f}b",
        "a\u{85}b",
        "a\u{2028}b",
        "a\u{202e}b",
    ] {
        for refused in [App::new(wrong, contact), App::new(name, wrong)] {
            assert!(
                matches!(refused, Err(NoticeError::Control { .. })),
                "{wrong:?}"
            );
        }
    }
    // Counted in characters, not in bytes.
    assert!(App::new(&"é".repeat(100), &"é".repeat(200)).is_ok());
    assert!(App::new(&"é".repeat(101), contact).is_err());
    assert!(App::new(name, &"é".repeat(201)).is_err());
    assert_eq!(App::new(" Etude ", contact).unwrap(), app());
    for days in [0, 367, u32::MAX] {
        let refused = Notice::bundled(1, "en", &app(), days);
        assert!(matches!(refused, Err(NoticeError::Days(refused)) if refused == days));
    }
}

proptest! {
    #[test]
    fn any_requested_language_yields_a_complete_notice(
        language in any::<String>(), tag in "[a-zA-Z]{0,3}([-_][a-zA-Z0-9]{0,8}){0,5}",
        name in any::<String>(), contact in any::<String>(), days: u32,
    ) {
        for asked in [&language, &tag] {
            let Ok(app) = App::new(&name, &contact).or(App::new("Etude", &contact)) else { continue };
            let Ok(notice) = Notice::bundled(1, asked, &app, days % 366 + 1) else {
                panic!("refused {asked:?}");
            };
            prop_assert_eq!(notice.text().lines().count(), bundled(notice.language()).text().lines().count());
            prop_assert!(notice.text().contains(app.name()) && notice.text().contains(app.contact()));
        }
    }
}

/// The table of docs/consent.md.
fn reading_table() -> String {
    let row = |language: &str| {
        let notice = bundled(language);
        let (whole, short) = (
            Counts::from_paragraphs(body(&notice)),
            Counts::from_paragraphs([notice.short()]),
        );
        let grade = match language {
            "en" => format!("{:.1}", whole.grade()),
            _ => "–".to_owned(),
        };
        let words = (whole.words, whole.words_a_sentence());
        let lix = (whole.lix(), short.lix(), reading::most_lix(language));
        format!(
            "| `{language}` | {} | {:.1} | {:.0} | {:.0} | {:.0} | {grade} |\n",
            words.0, words.1, lix.0, lix.1, lix.2
        )
    };
    Notice::LANGUAGES.map(row).concat()
}

#[test]
fn a_twelve_year_old_can_read_every_notice() {
    for language in Notice::LANGUAGES {
        let notice = bundled(language);
        let body = body(&notice);
        let most = reading::most_lix(language);
        for (layer, counts) in [
            ("whole", Counts::from_paragraphs(body.iter().copied())),
            ("short", Counts::from_paragraphs([notice.short()])),
        ] {
            assert!(
                counts.lix() <= most,
                "{language}, {layer}: LIX {}",
                counts.lix()
            );
            assert!(
                counts.longest_sentence <= 35,
                "{language}: {}",
                counts.longest_sentence
            );
            if language == "en" {
                let grade = counts.grade();
                assert!(grade <= reading::MAX_GRADE, "{layer}: grade {grade}");
            }
        }
    }
}

#[test]
fn the_readability_table_in_the_docs_matches() {
    let table = reading_table();
    assert!(
        include_str!("../../../docs/consent.md").contains(&table),
        "docs/consent.md should hold:\n{table}"
    );
}
