//! The answers for the App Store's privacy labels.

use sordino::disclosure::{APPLE_APIS, STORE_DATA};

use super::{
    blank::Blank,
    facts::Facts,
    paper::{Paper, evidence},
};

pub(super) fn write(facts: &Facts) -> String {
    let mut paper = Paper::new(
        "App Store: privacy labels",
        "Answers for App Store Connect, as far as Sordino goes: add what the rest of your app collects. \
         PrivacyInfo.xcprivacy beside this paper says the same in Apple's form; put it into the framework's bundle.",
    );
    paper.paragraph(facts.source());
    paper.heading("Do you or your third-party partners collect data from this app?");
    paper.paragraph(
        "Yes. Collection is on only for persons who said yes, but it goes on after that one question; Apple's exception for \
         optional disclosure asks that data be given each time by an act in the app's interface, beside the user's name, so it \
         does not hold. Nor does it where each sample is heard and accepted first: no name is shown, and the consent record \
         goes along unasked.",
    );
    paper.heading("Which data, for what?");
    paper.table(
        &["what", "category", "type", "purposes", "linked", "tracking"],
        STORE_DATA.iter().map(|data| {
            let purposes: Vec<&str> = data
                .apple_purposes
                .iter()
                .map(|(label, _)| *label)
                .collect();
            vec![
                data.what.to_owned(),
                data.apple.0.to_owned(),
                data.apple.1.to_owned(),
                purposes.join(", "),
                "No, on the conditions below".to_owned(),
                "No".to_owned(),
            ]
        }),
    );
    paper.list(
        STORE_DATA
            .iter()
            .map(|data| format!("{}: {} {}", data.what, data.because, data.because_apple)),
    );
    paper.heading("Linked to the user?");
    paper.paragraph(
        "Sordino takes the protections that Apple names before collection: it holds no name, account, e-mail, device or \
         advertising id, and its ids are random and new with each consent. \"No\" stands on three conditions, which are \
         yours:",
    );
    paper.list([
        "the app never sends or keeps a record's id beside an account, a device id or an address;",
        "exercise tags name no person, class or school;",
        "nobody tries to find out who plays, and no log before the collector keeps addresses.",
    ]);
    paper.paragraph(
        "Apple adds that what counts as personal data in law counts as linked. Under the GDPR a pseudonymous record, and \
         playing that somebody could recognize, may well be personal data; dpia.md treats them so. If your assessment \
         says that they are, answer \"Yes\" here and set `NSPrivacyCollectedDataTypeLinked` to true. In doubt, do.",
    );
    paper.paragraph(format!("Assessed by the owner: {}", Blank::Decision));
    paper.heading("Used to track?");
    paper.paragraph(
        "No. Nothing is joined with data of others for advertising, and nothing goes to a data broker. There is no \
         tracking domain.",
    );
    paper.heading("APIs that need a reason");
    paper.table(
        &["category", "reason", "because", "where"],
        APPLE_APIS.iter().map(|api| {
            vec![
                format!("`{}`", api.category),
                api.reason.unwrap_or("not called").to_owned(),
                api.because.to_owned(),
                evidence(api.evidence),
            ]
        }),
    );
    paper.paragraph(
        "Your app needs `NSMicrophoneUsageDescription` in its Info.plist: capture for the recognizer asks for it, whether or \
         not samples are taken.",
    );
    paper.finish()
}
