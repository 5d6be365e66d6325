//! There is no grant for a purpose that nobody was asked for.
use sordino::{Purpose, consent::PurposeType};

pub enum Advertising {}

pub fn main() {
    let _ = Purpose::QualityAssurance;
}

impl PurposeType for Advertising { const PURPOSE: Purpose = Purpose::QualityAssurance; } //~ E0277
