//! `README.md`: the dataset's card, with the front matter that the Hugging Face Hub defines
//! (<https://huggingface.co/docs/hub/datasets-cards>). The dataset is not meant to be uploaded there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use sordino::{Week, sampler::Trigger};

use super::loading;
use crate::pull::{entry::Entry, format::DatasetFormat};

/// Weeks that are counted together.
const WEEKS_A_RANGE: usize = 4;

/// Counts of a set of samples.
#[derive(Debug, Default)]
struct Counted {
    samples: usize,
    seconds: f64,
    records: BTreeSet<sordino::Id>,
    weights: f64,
}

impl Counted {
    fn add(&mut self, entry: &Entry) {
        self.samples += 1;
        self.seconds += entry.seconds();
        self.records.insert(entry.manifest.consent);
        self.weights += entry.weight();
    }
}

/// The whole file.
pub(in crate::pull) fn card<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    format: DatasetFormat,
    collector: &str,
) -> String {
    let entries: Vec<&Entry> = entries.collect();
    let mut all = Counted::default();
    let mut splits: BTreeMap<&str, Counted> = BTreeMap::new();
    let mut purposes: BTreeMap<&str, Counted> = BTreeMap::new();
    let mut triggers: BTreeMap<&str, Counted> = BTreeMap::new();
    let mut weeks: BTreeMap<Week, Counted> = BTreeMap::new();
    let mut anonymizers: BTreeMap<String, Counted> = BTreeMap::new();
    for entry in &entries {
        let manifest = &entry.manifest;
        all.add(entry);
        splits.entry(entry.split().as_str()).or_default().add(entry);
        for purpose in manifest.purposes.iter() {
            purposes.entry(purpose.as_str()).or_default().add(entry);
        }
        let trigger = match manifest.selection.trigger {
            Trigger::Mark => "mark",
            Trigger::Random => "random",
        };
        triggers.entry(trigger).or_default().add(entry);
        weeks.entry(manifest.week).or_default().add(entry);
        let anonymizer = &manifest.anonymizer;
        let name = format!(
            "version {}, {}, {}",
            code(&anonymizer.version),
            code(&anonymizer.detector),
            code(&anonymizer.gate)
        );
        anonymizers.entry(name).or_default().add(entry);
    }
    let mut card = front_matter(all.samples, &loading::configs(&entries, format));
    let counted = |title: &str, rows: &BTreeMap<&str, Counted>| {
        table(title, rows.iter().map(|(name, counted)| (*name, counted)))
    };
    let ranges = week_ranges(&weeks);
    let anonymizers = anonymizers
        .iter()
        .map(|(name, counted)| (name.as_str(), counted));
    let parts = [
        heading(collector, &all),
        counted("Split", &splits),
        counted("Purpose", &purposes),
        counted("Trigger", &triggers),
        table(
            "Weeks",
            ranges
                .iter()
                .map(|(name, counted)| (name.as_str(), counted)),
        ),
        table("Anonymizer", anonymizers),
        ABOUT.to_owned(),
    ];
    for part in parts {
        card.push_str(&part);
        card.push('\n');
    }
    card.truncate(card.trim_end().len());
    card.push('\n');
    card
}

fn front_matter(samples: usize, configs: &str) -> String {
    let size = match samples {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        _ => "1M<n<10M",
    };
    let mut yaml = format!(
        "---\n\
         pretty_name: Sordino samples\n\
         license: other\n\
         license_name: consented-use-only\n\
         tags: [audio, music, anonymized, not-for-redistribution]\n\
         size_categories: [\"{size}\"]\n"
    );
    yaml.push_str(configs);
    yaml.push_str("---\n\n");
    yaml
}

fn heading(collector: &str, all: &Counted) -> String {
    format!(
        "# Sordino samples\n\n\
         {} samples, {:.0} s of sound, of {} consent records, pulled from {}.\n\n\
         **Pull again before each use.** Each sample is here by a person's consent, which they can withdraw at any \
         time. The same `sordino pull` removes what was withdrawn from every file of this folder; it cannot reach \
         copies made elsewhere, so make none.\n",
        all.samples,
        all.seconds,
        all.records.len(),
        code(collector),
    )
}

fn table<'a>(title: &str, rows: impl Iterator<Item = (&'a str, &'a Counted)>) -> String {
    let mut text = format!(
        "| {title} | samples | seconds | records | sum of weights |\n| --- | ---: | ---: | ---: | ---: |\n"
    );
    for (name, counted) in rows {
        // Weights of marked and random clips cannot be added.
        let weights = match title == "Trigger" {
            true => format!("{:.1}", counted.weights),
            false => "–".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {name} | {} | {:.1} | {} | {weights} |",
            counted.samples,
            counted.seconds,
            counted.records.len(),
        );
    }
    text
}

/// Counts per four weeks, from the first week with a sample.
fn week_ranges(weeks: &BTreeMap<Week, Counted>) -> Vec<(String, Counted)> {
    let weeks: Vec<(&Week, &Counted)> = weeks.iter().collect();
    weeks
        .chunks(WEEKS_A_RANGE)
        .filter_map(|range| {
            let (first, last) = (range.first()?.0, range.last()?.0);
            let name = match first == last {
                true => first.to_string(),
                false => format!("{first} to {last}"),
            };
            let mut together = Counted::default();
            for (_, counted) in range {
                together.samples += counted.samples;
                together.seconds += counted.seconds;
                together.records.extend(&counted.records);
                together.weights += counted.weights;
            }
            Some((name, together))
        })
        .collect()
}

/// Text from a device or a command line, escaped for Markdown.
fn code(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter(|letter| !letter.is_control() && !matches!(letter, '`' | '|'))
        .collect();
    format!("`{plain}`")
}

const ABOUT: &str = "\
## What it may be used for

Each row's `purposes` say what its person agreed to, and nothing else is allowed: `quality-assurance` is finding \
out why the recognizer of the app erred; `recognition-research` is making recognition better. A person may have \
agreed to one of the two. It is **not for redistribution**: not as it is, not in part, not in a model from which \
sound can be had back. Nobody is to try to find out who plays.

## Splits and weights

`split` is `train`, `validation` or `test` by the consent record alone: SHA-256 of the 32 digits of `consent`, its first \
8 bytes as a big-endian number over 2^64; below 0.1 `test`, below 0.2 `validation`. So one record is never on two \
sides, in whatever dataset. A person who consented again has another record.

`weight` is one over the probability with which a moment like this one was taken. Rows with `trigger` `random`, so \
weighted, estimate what is heard; rows with `mark` estimate what the app marks. Never add up or average the two.

## Known biases

- Only people who consented are here, and they practice as they like.
- Where the anonymizer doubts, music is withheld: music with voices near or in it is rarer here than it was heard, and \
  the more so the more like a voice it sounds. `removed` lists what was cut, `erased` where a voice was taken out of \
  music that has lost something too. Samples that were withheld as a whole leave no trace, and no weight makes up for them.
- `mark` is what the app marked, by its own recognizer's doubts; what that recognizer does not doubt is not among it.
- A device's daily budget cuts off long days of practice, and the probability does not say so.
- `expected` and `recognized` are the app's word. A wrong expectation looks like a wrong recognizer.
- All sound is mono at 16 kHz with hum and noise taken out, at about one level, its clock changed by up to 0.1 %: loudness, \
  tuning finer than that and everything above 8 kHz cannot be learned from it.
- What a voice left behind is small, not none; see the threat model of Sordino for what was measured.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_devices_is_escaped_in_the_card() {
        assert_eq!(code("a`b|c\nd"), "`abcd`");
    }
}
