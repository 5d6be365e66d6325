//! Consent to quality assurance is not consent to research.
use sordino::consent::{Grant, Grants, QualityAssurance, RecognitionResearch};

fn research(_: &Grant<RecognitionResearch>) {}

pub fn main(grants: &Grants, quality: &Grant<QualityAssurance>) {
    grants.recognition_research().map(research);
    let _ = quality.purpose();
    research(quality); //~ E0308
}
