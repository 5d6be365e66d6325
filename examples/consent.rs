//! Asks for consent on the command line, and withdraws it again: `cargo run --example consent FOLDER`.
//!
//! FOLDER has `org.pub`, the organization's public key, and `plan.json`, its signed plan: docs/quickstart/rust.md makes
//! both.

#![allow(clippy::print_stdout, reason = "this program prints its results")]

use std::{env, error::Error, fs, path::Path};

use sordino::{
    Config, Purpose, Sordino,
    consent::{AgeBand, App, ConsentResponse, ConsentState, Notice},
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).ok_or("usage: consent FOLDER")?;
    let engine = open(folder.as_ref(), "https://collector.example")?;
    let receipt = ask(&engine, "en", AgeBand::Adult)?;
    println!("{receipt}");
    let state = withdraw(&engine)?;
    println!("after the withdrawal: {state}");
    Ok(())
}

/// Opens the engine and installs the plan.
pub fn open(folder: &Path, collector: &str) -> Result<Sordino, Box<dyn Error>> {
    let organization = fs::read_to_string(folder.join("org.pub"))?.trim().parse()?;
    let config = Config::new(folder.join("state"), organization, collector.parse()?);
    let engine = Sordino::open(config)?;
    engine.install_plan(&fs::read(folder.join("plan.json"))?)?;
    Ok(engine)
}

/// Shows the notice, records consent to every purpose of the plan, and returns the receipt for the person.
pub fn ask(engine: &Sordino, language: &str, age_band: AgeBand) -> Result<String, Box<dyn Error>> {
    let plan = engine.plan().ok_or("no plan is installed")?;
    let app = App::new("Etude", "privacy@etude.example")?;
    let shown = Notice::bundled(plan.notice_version, language, &app, &plan)?;
    println!("{}\n", shown.title());
    for section in shown.full() {
        println!("{}\n{}\n", section.heading, section.paragraphs.join("\n"));
    }
    // One switch for each purpose, all off until the person turns them on.
    for purpose in plan.purposes.iter() {
        println!("{purpose}: {:?}", shown.purpose(purpose));
    }
    let response = ConsentResponse {
        purposes: plan.purposes,
        age_band,
        guardian: None,
        notice: shown.notice(),
    };
    Ok(engine.give_consent(&response)?.to_pretty_json())
}

/// Withdraws one purpose, then the other.
pub fn withdraw(engine: &Sordino) -> Result<ConsentState, Box<dyn Error>> {
    engine.withdraw(Some(Purpose::RecognitionResearch))?;
    // Samples that wait are deleted at once; the collector deletes the others with the next upload.
    engine.withdraw(None)?;
    Ok(engine.consent()?.state)
}
