//! The papers that the owner of an app needs: current in docs/papers, with every placeholder listed.

use std::{collections::BTreeSet, fs, path::Path};

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

use crate::{
    facts::Facts,
    support::{QA, RESEARCH, Stage},
};

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/papers")
}

#[test]
fn the_papers_in_docs_are_current() {
    let stage = Stage::without_collector();
    stage.sordino("papers --out papers").ok();
    let names = |folder: &Path| -> BTreeSet<_> {
        let files = fs::read_dir(folder).unwrap();
        files.map(|file| file.unwrap().file_name()).collect()
    };
    let written = names(&stage.path("papers"));
    assert_eq!(written.len(), 8);
    let hint = "renew them by `cargo run -p sordino-cli -- papers --out docs/papers`";
    assert_eq!(names(&shipped()), written, "{hint}");
    for name in written {
        let current = fs::read_to_string(stage.path("papers").join(&name)).unwrap();
        let kept = fs::read_to_string(shipped().join(&name)).unwrap();
        assert!(
            kept == current,
            "docs/papers/{} is out of date; {hint}",
            name.display()
        );
    }
}

#[test]
fn papers_have_the_figures_of_the_plan() {
    let stage = Stage::without_collector();
    stage.sign_plan(
        "ours",
        &[
            ("version", "7"),
            ("consent_days", "123"),
            ("clip_seconds", "12"),
            ("samples_per_day", "3"),
            ("quality-assurance", "45"),
            ("purposes", "[\"quality-assurance\"]"),
            ("paused", "false\nreview = \"required\""),
            ("contact", "\"privacy@school.example\"\ncountry = \"DE\""),
        ],
    );
    stage.sordino("papers --out papers --plan ours.json").ok();
    let paper = |name: &str| fs::read_to_string(stage.path("papers").join(name)).unwrap();
    let dpia = paper("dpia.md");
    for figure in [
        "version 7",
        "123 days",
        "12 s",
        "at most 3 samples",
        "Quality assurance",
    ] {
        assert!(dpia.contains(figure), "{figure}");
    }
    assert!(dpia.contains("nothing is sealed until they accept it"));
    assert!(paper("coppa-notice.md").contains("Your child can hear each recording first"));
    for name in ["dpia.md", "coppa-notice.md", "record-of-processing.md"] {
        let paper = paper(name);
        assert!(paper.contains("123 days"), "{name}");
        assert!(paper.contains("for quality assurance 45 days"), "{name}");
        assert!(!paper.contains("samples/plan.toml"), "{name}");
        assert!(!paper.contains("mproving acoustic recognition"), "{name}");
        assert!(paper.contains("Your school"), "{name}");
        assert!(paper.contains("privacy@school.example, DE"), "{name}");
        assert!(!paper.contains("[TO FILL: controller]"), "{name}");
    }
}

#[test]
fn an_invalid_plan_is_refused_and_nothing_is_written() {
    let stage = Stage::without_collector();
    stage
        .sordino("papers --out papers --plan plan.toml")
        .failed(&["plan.toml"]);
    assert!(!stage.path("papers").exists());
}

/// The list at the top of each paper has all its placeholders and no other.
#[test]
fn placeholders_are_listed_at_the_top() {
    let mut papers = 0;
    for file in fs::read_dir(shipped()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        papers += 1;
        let text = fs::read_to_string(&path).unwrap();
        // The list is before the first section.
        let (top, body) = text.split_once("\n## ").unwrap();
        assert_eq!(placeholders(top), placeholders(body), "{}", path.display());
        for text in [top, body] {
            let bare = text.matches("TO FILL").count();
            let whole = text.matches("[TO FILL: ").count();
            assert_eq!(
                bare,
                whole,
                "{}: a placeholder without a name",
                path.display()
            );
        }
    }
    assert_eq!(papers, 7);
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    let after = text.split("[TO FILL: ").skip(1);
    after.map(|rest| rest.split_once(']').unwrap().0).collect()
}

#[test]
fn links_in_papers_lead_to_files_of_the_repository() {
    let mut links = 0;
    for file in fs::read_dir(shipped()).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for rest in text.split("](").skip(1) {
            let (target, _) = rest.split_once(')').unwrap();
            links += 1;
            assert!(
                shipped().join(target).exists(),
                "{}: {target}",
                path.display()
            );
        }
    }
    assert!(links > 50, "{links}");
}

/// People agree to what the record states, so the papers use the same words.
#[test]
fn facts_and_consent_records_state_the_same() {
    let stage = Stage::without_collector();
    stage.device_at("d", "http://127.0.0.1:1");
    let receipt = stage.json(&format!(
        "device d consent --age-band adult --purpose {QA} {RESEARCH}"
    ));
    let facts = Facts::load();
    let processes = receipt["dpv:hasProcess"].as_array().unwrap();
    assert_eq!(processes.len(), facts.purpose.len());
    for (process, purpose) in processes.iter().zip(&facts.purpose) {
        assert_eq!(process["dct:identifier"], purpose.id.as_str());
        assert_eq!(described(&process["dpv:hasPurpose"]), purpose.what);
        let categories = (facts.category.iter())
            .filter_map(|category| Some((category.in_record.as_deref()?, category.holds.as_str())));
        assert!(stated(&process["dpv:hasPersonalData"]).eq(categories));
        let rights = (facts.right.iter())
            .filter_map(|right| Some((right.in_record.as_deref()?, right.gives.as_str())));
        assert!(stated(&process["dpv:hasRight"]).eq(rights));
        let storage = &process["dpv:hasStorageCondition"];
        let control = &process["dpv:hasConsentControl"];
        let record = &facts.record;
        assert_eq!(described(&process["dpv:hasDataSource"]), record.source);
        assert_eq!(described(&storage[1]["dpv:hasDuration"]), record.retention);
        assert_eq!(described(&storage[2]), record.deletion);
        assert_eq!(described(&process["dpv:hasRecipient"]), record.recipients);
        assert_eq!(
            described(&process["dpv:hasProhibition"]),
            record.no_third_party
        );
        assert_eq!(described(control), record.withdrawal);
        assert_eq!(control["dpv:isExercisedAt"], *record.withdrawal_place);
    }
}

fn described(member: &Value) -> &str {
    member["dct:description"].as_str().unwrap()
}

/// The identifier and the description of each element.
fn stated(list: &Value) -> impl Iterator<Item = (&str, &str)> {
    let elements = list.as_array().unwrap().iter();
    elements.map(|element| {
        (
            element["dct:identifier"].as_str().unwrap(),
            described(element),
        )
    })
}

const TOP_KEYS: [&str; 4] = [
    "NSPrivacyAccessedAPITypes",
    "NSPrivacyCollectedDataTypes",
    "NSPrivacyTracking",
    "NSPrivacyTrackingDomains",
];
/// Apple's constants that could apply here ("Describing data use in privacy manifests").
const PURPOSES: [&str; 3] = [
    "NSPrivacyCollectedDataTypePurposeAnalytics",
    "NSPrivacyCollectedDataTypePurposeAppFunctionality",
    "NSPrivacyCollectedDataTypePurposeOther",
];
const TYPES: [&str; 3] = [
    "NSPrivacyCollectedDataTypeAudioData",
    "NSPrivacyCollectedDataTypeOtherDataTypes",
    "NSPrivacyCollectedDataTypeOtherUsageData",
];
/// Reasons by category ("Describing use of required reason API").
const REASONS: [(&str, &[&str]); 2] = [
    (
        "NSPrivacyAccessedAPICategoryFileTimestamp",
        &["C617.1", "3B52.1"],
    ),
    (
        "NSPrivacyAccessedAPICategorySystemBootTime",
        &["35F9.1", "8FFB.1"],
    ),
];

#[test]
fn the_privacy_manifest_is_a_valid_property_list() {
    let text = fs::read_to_string(shipped().join("PrivacyInfo.xcprivacy")).unwrap();
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options).unwrap();
    let plist = document.root_element();
    assert!(plist.has_tag_name("plist") && plist.attribute("version") == Some("1.0"));
    let top = members(only(plist));
    let keys: BTreeSet<&str> = top.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, BTreeSet::from(TOP_KEYS));
    assert!(value(&top, "NSPrivacyTracking").has_tag_name("false"));
    assert_eq!(elements(value(&top, "NSPrivacyTrackingDomains")).len(), 0);

    let mut types = BTreeSet::new();
    for entry in elements(value(&top, "NSPrivacyCollectedDataTypes")) {
        let entry = members(entry);
        assert_eq!(entry.len(), 4);
        assert!(value(&entry, "NSPrivacyCollectedDataTypeLinked").has_tag_name("false"));
        assert!(value(&entry, "NSPrivacyCollectedDataTypeTracking").has_tag_name("false"));
        let name = string(value(&entry, "NSPrivacyCollectedDataType"));
        assert!(types.insert(name), "{name} twice");
        let purposes = elements(value(&entry, "NSPrivacyCollectedDataTypePurposes"));
        assert!(!purposes.is_empty());
        for purpose in purposes {
            assert!(PURPOSES.contains(&string(purpose)), "{}", string(purpose));
        }
    }
    assert_eq!(types, BTreeSet::from(TYPES));

    let mut categories = BTreeSet::new();
    for entry in elements(value(&top, "NSPrivacyAccessedAPITypes")) {
        let entry = members(entry);
        assert_eq!(entry.len(), 2);
        let name = string(value(&entry, "NSPrivacyAccessedAPIType"));
        let (_, allowed) = REASONS
            .iter()
            .find(|(category, _)| *category == name)
            .unwrap();
        let reasons = elements(value(&entry, "NSPrivacyAccessedAPITypeReasons"));
        assert!(!reasons.is_empty());
        assert!(
            reasons
                .iter()
                .all(|reason| allowed.contains(&string(*reason)))
        );
        assert!(categories.insert(name), "{name} twice");
    }
    assert_eq!(categories.len(), REASONS.len());
}

fn elements<'a>(node: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
    node.children().filter(Node::is_element).collect()
}

fn only<'a>(node: Node<'a, 'a>) -> Node<'a, 'a> {
    let elements = elements(node);
    assert_eq!(elements.len(), 1);
    elements[0]
}

/// Alternating keys and values of a `dict`.
fn members<'a>(dict: Node<'a, 'a>) -> Vec<(&'a str, Node<'a, 'a>)> {
    assert!(dict.has_tag_name("dict"));
    let elements = elements(dict);
    assert_eq!(elements.len() % 2, 0);
    let pairs = elements.chunks(2).map(|pair| {
        assert!(pair[0].has_tag_name("key"));
        (pair[0].text().unwrap(), pair[1])
    });
    pairs.collect()
}

fn value<'a>(members: &[(&str, Node<'a, 'a>)], key: &str) -> Node<'a, 'a> {
    let found = members.iter().find(|(name, _)| *name == key);
    found.unwrap_or_else(|| panic!("no {key}")).1
}

fn string<'a>(node: Node<'a, 'a>) -> &'a str {
    assert!(node.has_tag_name("string"));
    node.text().unwrap()
}
