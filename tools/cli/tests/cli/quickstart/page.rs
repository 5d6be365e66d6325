use std::{error::Error, fs, path::Path};

use sordino::capture::{Frame, Pace, WavFile};
use sordino::consent::{AgeBand, App, ConsentResponse, Notice};
use sordino::{Config, Purpose, Sordino, sampler::Moment, upload::Client};

fn main() -> Result<(), Box<dyn Error>> {
    let engine = open(".".as_ref(), "http://127.0.0.1:8787")?;
    match std::env::args().nth(1).as_deref() {
        Some("no") => say_no(&engine),
        _ => practice(&engine, "flute-alone.wav".as_ref()),
    }
}

fn open(folder: &Path, collector: &str) -> Result<Sordino, Box<dyn Error>> {
    let organization = fs::read_to_string(folder.join("org.pub"))?.trim().parse()?; // an app pins it
    let engine = Sordino::open(Config::new(folder.join("state"), organization, collector.parse()?))?;
    engine.install_plan(&fs::read(folder.join("plan.json"))?)?;
    Ok(engine)
}

fn practice(engine: &Sordino, recording: &Path) -> Result<(), Box<dyn Error>> {
    // Show `title()`, `short()`, `full()` and `purpose(…)`. This person says yes to one use.
    let plan = engine.plan().ok_or("no plan is in force")?;
    let app = App::new("Etude", "privacy@etude.example")?;
    let shown = Notice::bundled(plan.notice_version, "de-AT", &app, &plan)?;
    let (purposes, notice) = (Purpose::QualityAssurance.into(), shown.notice());
    let age_band = AgeBand::Adult;
    engine.give_consent(&ConsentResponse { purposes, age_band, guardian: None, notice })?;

    // A microphone is `Microphone::default()`, an app's own audio path `pcm_channel(48_000, 2)?`.
    let (source, marker) = (WavFile::new(recording, Pace::Unthrottled), engine.clone());
    let listening = engine.listen(source, move |frame: Frame<'_>| {
        // `frame.samples` is your recognizer's: 10 ms, mono. Here it was unsure after 5 s.
        if frame.position == 5 * u64::from(frame.rate) {
            let _ = marker.mark(Moment::default()); // an error says why nothing may be sampled
        }
    })?;
    listening.wait()?; // for the recording's end; `stop()` ends a microphone
    println!("{:?}", engine.upload(&Client::default())?);
    Ok(())
}

fn say_no(engine: &Sordino) -> Result<(), Box<dyn Error>> {
    engine.withdraw(None)?; // holds at once; what was sent is asked back with the next upload
    println!("{:?}", engine.upload(&Client::default())?);
    Ok(())
}
