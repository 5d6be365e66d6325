//! The notices of 16 CFR 312.4, as a draft.

use sordino::disclosure::{CATEGORIES, record};

use super::{blank::Blank, facts::Facts, paper::Paper};

pub(super) fn write(facts: &Facts) -> String {
    let mut paper = Paper::new(
        "COPPA: notices to parents",
        "A draft of the direct notice (16 CFR 312.4(c)(1)) and of the section of the online notice (312.4(d)) for samples \
         of playing, under the rule as amended in 2025. Your notice has to cover the rest of your app too. It is not \
         legal advice.",
    );
    paper.paragraph(facts.source());
    let review = match facts.is_reviewed() {
        true => {
            "Your child can hear each moment first, and nothing is sent that they did not say yes to. "
        }
        false => "",
    };
    let sample = format!(
        "Short moments of your child's playing, {} seconds each, {}. Before a moment leaves the device, voices that are \
         found are taken out of it, and where that is in doubt it is thrown away. A voice may be missed, so think of a \
         moment as a recording of your child. {review}With it go the notes and the exercise, the week, and a random number \
         that stands for your consent. No name, address, account, device number, place or time finer than the week.",
        facts.clip_seconds(),
        facts.budget()
    );
    let consent = "Your consent itself: to which uses, to which text, in which week, that it is for a child, and how we \
                   made sure that it was you. Of you it holds no more than a hash of our proof of that, from which \
                   the proof cannot be read.";
    let uses: Vec<String> = facts
        .purposes()
        .map(|facts| format!("{}: {}", facts.title, facts.what))
        .collect();

    paper.heading("Direct notice to the parent");
    paper.paragraph(format!(
        "From {}, maker of {}.",
        facts.controller(),
        Blank::App
    ));
    paper.list([
        format!("How we come to write to you: {}.", Blank::ParentContact),
        "We ask for your consent. Without it we collect, use and disclose nothing of this kind from your child, and the app \
         works just the same."
            .to_owned(),
        format!("What we would collect: {sample} {consent}"),
        format!(
            "How we would use it; you can say yes to each by itself. {}",
            uses.join(" ")
        ),
        format!("Whom we would disclose it to: nobody. {}", record::NO_THIRD_PARTY),
        format!("Our full notice: {}.", Blank::PolicyLink),
        format!("How to say yes: {}.", Blank::ConsentLink),
        "If you do not answer within a reasonable time, we delete your contact from our records.".to_owned(),
        format!(
            "A yes ends after {} days; then we ask again. You can take it back in the app at any time, for one use or for all, \
             and need not say why.",
            facts.consent_days()
        ),
    ]);

    paper.heading("Online notice");
    paper.subheading("Operators");
    paper.paragraph(format!(
        "{}; {}. Others who collect or keep information through {}: {}.",
        facts.controller(),
        facts.contact(),
        Blank::App,
        Blank::Hosting
    ));
    paper.subheading("What we collect, and how we use it");
    paper.paragraph(&sample);
    paper.paragraph(consent);
    paper.list(uses.iter());
    paper.table(
        &["what", "it holds"],
        CATEGORIES
            .iter()
            .filter(|category| category.leaves)
            .map(|category| vec![category.name, category.holds]),
    );
    paper.paragraph("A child cannot make any of it public.");
    paper.subheading("Sound that is not kept");
    paper.paragraph(
        "To recognize what is played, the app listens while a child practices. That sound stays in the device's memory and is \
         gone at once; it is neither stored nor sent.",
    );
    paper.subheading("Persistent identifiers");
    paper.paragraph(
        "The number that stands for a consent is random, made anew with each consent, and used with our server only. It serves \
         to honor consent, withdrawal and deletion, and nothing else: no advertising, no profile, no contact. Our server \
         sees the address of a connection, as any server does, and writes it nowhere.",
    );
    paper.subheading("Disclosure");
    paper.paragraph(format!(
        "{} Moments can be opened with {}, held by {}. Each time is written down, and you can see it in the app.",
        record::NO_THIRD_PARTY,
        facts.recipients(),
        Blank::Readers
    ));
    paper.subheading("How long we keep it (312.10)");
    paper.paragraph(format!(
        "We keep moments only as long as we need them: {} ({}). A yes ends after {} days; nothing new is \
         kept then, and what was sent before stays until its time has come. What you delete or take back is deleted from the \
         device, the server and the copies that are worked with. What stays is the record of your yes, the list of who opened \
         what, and the numbers of deleted moments, so that none of them can come back.",
        facts.retention(),
        Blank::Retention,
        facts.consent_days()
    ));
    paper.subheading("Your rights (312.6)");
    paper.list([
        "In the app, on your child's device: see each moment and who opened it; have all that the device holds as a file; \
         delete one moment or all; take consent back for one use or for all."
            .to_owned(),
        format!(
            "By us: to hear what is held, to refuse more, to have it deleted. Write to {}. We make sure that you are the \
             parent before we answer. Keep the receipt of your yes: nothing else names the number by which we find the \
             moments.",
            facts.contact()
        ),
    ]);
    paper.heading("For the operator, not a part of the notices");
    paper.list([
        "Each receipt and each bundled notice states that nothing goes to a third party. To give a key or samples to anybody \
         who does not work on your behalf would make that untrue; and e-mail plus and text plus (312.5(b)(2)) are for \
         operators who do not disclose.",
        "A guardian's method is recorded under one of nine names (on-the-wire.md, `dpv:hasIndicationMethod`), with a hash of \
         your evidence where you hand it in; it must be such that nobody could guess it. The check itself, and what of the parent is deleted after it, is yours.",
        "The notices promise screens of your app, on `samples`, `accesses`, `export_my_data`, `delete`, `delete_all` and \
         `withdraw`; and that no address is written: what stands before the collector must keep no log of them.",
        "A material change is a new notice version in the plan: every consent is then outdated and asked for again.",
        "The collector deletes by age what the plan's `retention_days` names. For a parent whose child's device is gone, \
         `sordino-collector withdraw RECORD` withdraws consent and deletes what was sent; RECORD is in the receipt. \
         Whether it is the parent who asks is yours to verify.",
    ]);
    paper.finish()
}
