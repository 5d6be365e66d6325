//! The entries of GDPR art. 30.

use sordino::disclosure::{CATEGORIES, MEASURES, record};

use super::{blank::Blank, data, facts::Facts, paper::Paper};

pub(super) fn write(facts: &Facts) -> String {
    let mut paper = Paper::new(
        "Record of processing activities",
        "Entries for GDPR art. 30(1), the controller's, and 30(2), for whoever runs the collector on the controller's behalf.",
    );
    paper.paragraph(facts.source());
    paper.heading("Controller (art. 30(1))");
    let row =
        |letter: &str, what: &str, text: String| vec![letter.to_owned(), what.to_owned(), text];
    let purposes: Vec<String> = facts
        .purposes()
        .map(|facts| format!("{}: {}", facts.title, facts.what))
        .collect();
    let names = |leaving: bool| {
        let names: Vec<&str> = CATEGORIES
            .iter()
            .filter(|category| category.leaves == leaving)
            .map(|category| category.name)
            .collect();
        names.join(", ")
    };
    let measures: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
    paper.table(
        &["", "", ""],
        [
            row(
                "(a)",
                "controller, representative, data protection officer",
                format!(
                    "{}; {}; {}; {}",
                    facts.controller(),
                    facts.contact(),
                    Blank::Representative,
                    Blank::Officer
                ),
            ),
            row(
                "(b)",
                "purposes",
                format!(
                    "{} Ground: consent, art. 6(1)(a), for each by itself; keeping the proof of consent: arts. 5(2), 7(1), \
                     6(1)(c)",
                    purposes.join(" ")
                ),
            ),
            row(
                "(c)",
                "persons",
                format!(
                    "users of {} who said yes, children with their guardian's approval among them: {}; readers of samples",
                    Blank::App,
                    Blank::Audience
                ),
            ),
            row(
                "(c)",
                "data",
                format!(
                    "{}. Not from the device: access log. Never off the device: raw sound, state of the \
                     device. No special categories (art. 9) are sought",
                    names(true)
                ),
            ),
            row(
                "(d)",
                "recipients",
                format!(
                    "holders of {} and tokens: {}; hosting: {}. {}",
                    facts.recipients(),
                    Blank::Readers,
                    Blank::Hosting,
                    record::NO_THIRD_PARTY
                ),
            ),
            row("(e)", "third countries", Blank::Transfers.to_string()),
            row(
                "(f)",
                "time limits",
                format!(
                    "consent: {} days; samples: until withdrawn or deleted, at the latest {}; ids of deleted samples: kept, so that \
                     they stay deleted; records, access log: as long as the database; {}",
                    facts.consent_days(),
                    facts.retention(),
                    Blank::Retention
                ),
            ),
            row(
                "(g)",
                "security",
                format!("{}. In full: dpia.md, measures; docs/threat-model.md", measures.join("; ")),
            ),
        ],
    );
    paper.heading("The data, kind by kind");
    data::table(&mut paper, "kind");
    paper.heading("Processor (art. 30(2))");
    paper.table(
        &["", "", ""],
        [
            row(
                "(a)",
                "processor, controller, their representatives and officers",
                format!("{}; for {}", Blank::Hosting, facts.controller()),
            ),
            row(
                "(b)",
                "categories of processing",
                "runs `sordino-collector`: receives, stores and hands out ciphertext; checks consent; deletes; notes accesses in a chained log. \
                 It holds no key that opens a sample"
                    .to_owned(),
            ),
            row("(c)", "third countries", Blank::Transfers.to_string()),
            row(
                "(d)",
                "security",
                "no address, user agent or clock time is written; tokens as hashes; deleted rows overwritten in SQLite and \
                 vacuumed in PostgreSQL; TLS in front"
                    .to_owned(),
            ),
        ],
    );
    paper.finish()
}
