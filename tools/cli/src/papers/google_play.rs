//! The answers for Google Play's Data safety form.

use sordino::disclosure::{STORE_DATA, record};

use super::{blank::Blank, facts::Facts, paper::Paper};

pub(super) fn write(facts: &Facts) -> String {
    let mut paper = Paper::new(
        "Google Play: data safety",
        "Answers for the form in Play Console (App content, Data safety), question by question, as far as Sordino goes: add \
         what the rest of your app collects.",
    );
    paper.paragraph(facts.source());
    paper.heading("Data collection and security");
    paper.table(
        &["question", "answer", "because"],
        [
            vec![
                "Does your app collect or share any of the required user data types?",
                "Yes",
                "Samples of playing and consent records leave the device of whoever said yes.",
            ],
            vec![
                "Is all of the user data collected by your app encrypted in transit?",
                "Yes",
                "HTTPS, and samples are sealed before that. Plain HTTP is refused but to the same machine.",
            ],
            vec![
                "Do you provide a way for users to request that their data is deleted?",
                "Yes",
                "In the app: one sample, or all. Needs buttons of yours that call `delete`, `delete_all` and `withdraw`. Without \
                 the device: by the receipt, which names the record that you withdraw. Consent records and the ids of what was deleted stay, as proof and so that nothing comes back.",
            ],
        ],
    );
    paper.paragraph(
        "End-to-end encryption is no reason to leave samples out: Google excepts what nobody but sender and recipient can \
         read, and here you are the recipient.",
    );
    paper.heading("Data types");
    paper.table(
        &[
            "what",
            "category",
            "type",
            "collected",
            "shared",
            "ephemeral",
            "required or optional",
            "purposes",
        ],
        STORE_DATA.iter().map(|data| {
            vec![
                data.what.to_owned(),
                data.google.0.to_owned(),
                data.google.1.to_owned(),
                "Yes".to_owned(),
                "No: see below".to_owned(),
                "No: it is stored".to_owned(),
                "Optional: users can choose".to_owned(),
                data.google_purposes.join(", "),
            ]
        }),
    );
    paper.list(
        STORE_DATA
            .iter()
            .map(|data| format!("{}: {} {}", data.what, data.because, data.because_google)),
    );
    paper.subheading("Audio types that are not declared");
    paper.list([
        "Music files: these are a user's own files; Sordino reads none.",
        "Other audio files: files that a user makes or provides; a sample is neither.",
    ]);
    paper.subheading("Types that Sordino never collects");
    paper.paragraph(
        "Location, name, e-mail, account, address, phone number, financial and health data, messages, photos and videos, \
         files, calendar, contacts, web history, crash logs, diagnostics. The IP address of a connection is used to answer \
         it, and the collector keeps it nowhere; a proxy before it must not either.",
    );
    paper.heading("Shared?");
    paper.paragraph(format!(
        "{} Each receipt and each bundled notice says so. Samples can be opened with {}, held by {}: \"No\" is true while each \
         of these is you or a service provider who works on your behalf. Anybody else, a university with research of its \
         own say, would make the sound and the annotations \"shared\", and the receipts untrue.",
        record::NO_THIRD_PARTY,
        facts.recipients(),
        Blank::Readers
    ));
    paper.heading("Children");
    paper.paragraph(format!(
        "If the app's audience includes children ({}), the Families policy holds: neutral age screening, and no data that it \
         forbids. Sordino takes an age band, never a birth date, and no advertising id; a child's yes waits for its \
         guardian's.",
        Blank::Audience
    ));
    paper.finish()
}
