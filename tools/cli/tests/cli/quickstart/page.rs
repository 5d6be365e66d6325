use std::{error::Error, fs, path::Path};

use sordino::capture::{Frame, Pace, WavFile};
use sordino::consent::{AgeBand, App, ConsentResponse, Notice};
use sordino::{Config, Purpose, Sordino, sampler::Moment, upload::Client};

fn main() -> Result<(), Box<dyn Error>> {
    let engine = open(".".as_ref(), "http://127.0.0.1:8787")?;
    match std::env::args().nth(1).as_deref() {
        Some("withdraw") => withdraw(&engine),
        _ => {
            give_consent(&engine)?;
            practice(&engine, "flute-alone.wav".as_ref())
        }
    }
}

/// Opens the engine on a folder of its own. An app pins the organization's key as a constant.
fn open(folder: &Path, collector: &str) -> Result<Sordino, Box<dyn Error>> {
    let organization = fs::read_to_string(folder.join("org.pub"))?.trim().parse()?;
    let engine = Sordino::open(Config::new(folder.join("state"), organization, collector.parse()?))?;
    engine.install_plan(&fs::read(folder.join("plan.json"))?)?;
    Ok(engine)
}

/// Records consent to one purpose. An app shows the notice first: `title()`, `short()`, `full()`.
fn give_consent(engine: &Sordino) -> Result<(), Box<dyn Error>> {
    let plan = engine.plan().ok_or("no plan is installed")?;
    let app = App::new("Etude", "privacy@etude.example")?;
    let shown = Notice::bundled(plan.notice_version, "de-AT", &app, &plan)?;
    engine.give_consent(&ConsentResponse {
        purposes: Purpose::QualityAssurance.into(),
        age_band: AgeBand::Adult,
        guardian: None,
        notice: shown.notice(),
    })?;
    Ok(())
}

/// Captures audio, marks one moment and uploads the sample.
fn practice(engine: &Sordino, recording: &Path) -> Result<(), Box<dyn Error>> {
    // Instead: `Microphone::default()`, or `pcm_channel(48_000, 2)?` for the app's own audio.
    let source = WavFile::new(recording, Pace::Unthrottled);
    let marker = engine.clone();
    let session = engine.listen(source, move |frame: Frame<'_>| {
        // The recognizer takes `frame.samples`, 10 ms of mono f32. Here it was unsure after 5 s.
        if frame.position == 5 * u64::from(frame.rate) {
            let _ = marker.mark(Moment::default()); // an error explains why sampling is blocked
        }
    })?;
    session.wait()?; // until the recording ends; `stop()` ends a microphone
    println!("{:?}", engine.upload(&Client::default())?);
    Ok(())
}

/// Withdraws consent. This takes effect immediately; the upload deletes what was sent.
fn withdraw(engine: &Sordino) -> Result<(), Box<dyn Error>> {
    engine.withdraw(None)?;
    println!("{:?}", engine.upload(&Client::default())?);
    Ok(())
}
