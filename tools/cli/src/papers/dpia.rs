//! The data protection impact assessment, as far as the code knows.
//!
//! The order is that of GDPR art. 35(7), (a) to (d), with what the templates of the CNIL (PIA: context,
//! fundamental principles, risks, validation) and of the ICO ask besides.

use sordino::disclosure::{Level, MEASURES, RIGHTS, RISKS, record};

use super::{
    blank::Blank,
    data,
    facts::Facts,
    paper::{Paper, evidence},
};

pub(super) fn write(facts: &Facts) -> String {
    let mut paper = Paper::new(
        "Data protection impact assessment: samples of playing",
        "Filled in for Sordino by GDPR art. 35(7), in the order of the CNIL's and the ICO's templates. It covers sampling by \
         the SDK, not the rest of your app. The levels of risk are the authors' estimate: you confirm or change them, and \
         you decide. It is not legal advice.",
    );
    paper.paragraph(facts.source());
    need(&mut paper, facts);
    description(&mut paper, facts);
    necessity(&mut paper, facts);
    risks(&mut paper);
    measures(&mut paper);
    conclusion(&mut paper);
    paper.finish()
}

fn need(paper: &mut Paper, facts: &Facts) {
    paper.heading("1. Why an assessment");
    paper.paragraph(
        "Of the nine criteria of the guidelines WP 248 rev.01, which the EDPB endorsed, these are met or near: sound from the \
         home, which is highly personal; data of vulnerable persons (children); new technology (voice removal by neural \
         networks); and, by number of users, large scale. Two are as a rule enough.",
    );
    paper.table(
        &["", ""],
        [
            vec!["controller".to_owned(), facts.controller()],
            vec!["contact".to_owned(), facts.contact()],
            vec![
                "data protection officer".to_owned(),
                Blank::Officer.to_string(),
            ],
            vec!["app".to_owned(), Blank::App.to_string()],
        ],
    );
}

fn description(paper: &mut Paper, facts: &Facts) {
    paper.heading("2. Systematic description (art. 35(7)(a))");
    paper.subheading("Nature");
    paper.paragraph(
        "An app listens to a person play, for its recognizer. Where the person consented, short moments are taken from \
         memory, voices and marks of the device are taken out, what is left is sealed to the QA key on the device and sent \
         to a collector that cannot open it. Holders of the key and of a token pull and hear it. A no takes it back from the \
         device, the collector and what was pulled.",
    );
    paper.list([
        "consent: each purpose by itself; a signed record, which is the person's receipt; for a child, the guardian's yes",
        "capture: raw sound, in memory only",
        "sampler: a moment that the app marks, or a random one, inside the plan's budget",
        "anonymize: voices erased or cut; hum, floor, exact clock, length and level taken out; a second detector hears the \
         result; in doubt it is withheld",
        match facts.is_reviewed() {
            true => "review: the person hears what would be sent, and nothing is sealed until they say yes to it",
            false => "review, where the app asks for it: the person hears what would be sent before it is sealed",
        },
        "seal: manifest and FLAC, padded, age v1",
        "outbox and upload: ciphertext, while the grant stands",
        "collector: ciphertext, consent, deletion, a chained access log",
        "QA tools: pull, hear, export; withdrawn copies are removed at the next pull",
    ]);
    paper.subheading("Scope");
    paper.table(&["", ""], facts.rows());
    data::table(paper, "kind of data");
    paper.paragraph("on-the-wire.md lists what leaves the device member by member.");
    paper.subheading("Context");
    paper.list([
        format!("Users: {}.", Blank::Audience),
        format!("A guardian decides below: {}.", Blank::AgeOfConsent),
        format!("Collector: {}.", Blank::Hosting),
        format!("Readers: {}.", Blank::Readers),
        format!("Third countries: {}.", Blank::Transfers),
        "Supporting assets: the phone and its system, the app, the collector's machine and what stands before it, the \
         machines on which the QA key lies."
            .to_owned(),
    ]);
    paper.subheading("Purposes");
    paper.table(
        &["purpose", "what is done"],
        facts.purposes().map(|facts| vec![facts.title, facts.what]),
    );
}

fn necessity(paper: &mut Paper, facts: &Facts) {
    paper.heading("3. Necessity and proportionality (art. 35(7)(b))");
    paper.table(
        &["purpose", "why not with less"],
        facts
            .purposes()
            .map(|facts| vec![facts.title, facts.necessity]),
    );
    paper.table(
        &["principle", "how it is kept"],
        [
            vec![
                "lawfulness".to_owned(),
                "consent, art. 6(1)(a), for each purpose by itself; a guardian's for a child, art. 8; no service depends on it"
                    .to_owned(),
            ],
            vec![
                "purpose limitation".to_owned(),
                format!(
                    "purposes stand in record, sample, request and token. {}",
                    record::NO_THIRD_PARTY
                ),
            ],
            vec![
                "minimization".to_owned(),
                format!(
                    "{} s a sample; {}; no name, device, locale or time finer than the week",
                    facts.clip_seconds(),
                    facts.budget()
                ),
            ],
            vec![
                "accuracy".to_owned(),
                "a sample says what was taken out of it; records have revisions".to_owned(),
            ],
            vec![
                "storage limitation".to_owned(),
                format!(
                    "consent ends after {} days, which deletes nothing that was sent. Samples go when they are withdrawn or \
                     deleted, and are kept at most {}: the collector carries that out, and pulled copies go at the next pull. \
                     The plan's `retention_days` is yours to set: {}",
                    facts.consent_days(),
                    facts.retention(),
                    Blank::Retention
                ),
            ],
            vec![
                "processors".to_owned(),
                "the authors of Sordino receive nothing; contracts under art. 28 are with those named under context".to_owned(),
            ],
        ],
    );
    paper.subheading("Rights");
    paper.table(
        &[
            "right",
            "source",
            "what it gives, and how",
            "where, and which test",
        ],
        RIGHTS.iter().map(|right| {
            vec![
                right.name.to_owned(),
                right.source.to_owned(),
                format!("{} {}", right.gives, right.how).trim().to_owned(),
                evidence(right.evidence),
            ]
        }),
    );
    paper.subheading("Consultation");
    paper.paragraph(format!("{}", Blank::Views));
}

fn risks(paper: &mut Paper) {
    paper.heading("4. Risks for persons (art. 35(7)(c))");
    paper.paragraph(
        "Likelihood and severity on the CNIL's scale: negligible, limited, significant, maximum. \"Before\" is an app that \
         records the microphone and uploads it; \"after\" is Sordino as it is.",
    );
    paper.table(
        &[
            "",
            "risk",
            "before: likelihood, severity",
            "after: likelihood, severity",
        ],
        RISKS.iter().enumerate().map(|(index, risk)| {
            vec![
                format!("R{}", index + 1),
                risk.name.to_owned(),
                format!("{}, {}", risk.before.0.as_str(), risk.before.1.as_str()),
                format!("{}, {}", risk.after.0.as_str(), risk.after.1.as_str()),
            ]
        }),
    );
    for (index, risk) in RISKS.iter().enumerate() {
        paper.subheading(&format!("R{}. {}", index + 1, risk.name));
        paper.list([
            format!("From: {}.", risk.sources),
            format!("For the person: {}.", risk.impact),
            format!("Against it: {}.", risk.measures),
            format!("Left: {}.", risk.residual),
            format!(
                "Shown by: {}",
                evidence(risk.evidence).replace("<br>", ", ")
            ),
        ]);
    }
}

fn measures(paper: &mut Paper) {
    paper.heading("5. Measures (art. 35(7)(d))");
    paper.table(
        &[
            "measure",
            "what it does, and where it ends",
            "where, and which test",
        ],
        MEASURES.iter().map(|measure| {
            vec![
                measure.name.to_owned(),
                measure.what.to_owned(),
                evidence(measure.evidence),
            ]
        }),
    );
    paper.paragraph("Yours to add:");
    paper.list([
        "how the QA key is made, kept and changed, and who holds tokens;",
        "a proxy before the collector that keeps no log of addresses; backups from which deleted samples go too;",
        "a rule for readers: no copies out of a dataset, no search for who plays, a pull before each piece of work;",
        "how a guardian is verified, which evidence is kept, and when it is deleted;",
        "what becomes of a model that was trained on a sample that is taken back;",
        "the limit after which records and the access log are deleted at the collector, and how: it has no command for it \
         (samples go by the plan's `retention_days`);",
        "how you verify a person who asks without the device: the receipt names the record, and `sordino-collector withdraw \
         RECORD` deletes what was sent under it; without the receipt nothing names it;",
        "tokens named for a task, not for a person, since the access log cannot forget a name; somebody outside who keeps its \
         heads;",
        "a new notice version with each change of meaning, and with another controller: a standing yes names the old one.",
    ]);
}

fn conclusion(paper: &mut Paper) {
    paper.heading("6. What is left, and who decides");
    let highest = RISKS.iter().filter(|risk| {
        let (likelihood, severity) = risk.after;
        likelihood.max(severity) >= Level::Significant
    });
    paper.paragraph("By the authors' estimate no risk is left that is both likely and grave. These stand highest:");
    paper.list(highest.map(|risk| {
        format!(
            "{} ({}, {}): {}.",
            risk.name,
            risk.after.0.as_str(),
            risk.after.1.as_str(),
            risk.residual
        )
    }));
    paper.paragraph(
        "If you find a high risk left, ask the supervisory authority before you begin (art. 36). Look again when the plan, the \
         notice, the anonymizer's version or docs/threat-model.md changes (art. 35(11)).",
    );
    paper.paragraph(format!("{}", Blank::Decision));
}
