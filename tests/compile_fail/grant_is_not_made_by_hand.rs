//! Only the consent store grants.
use sordino::{Purpose, consent::Grant};

pub fn main(other: Grant) {
    let _ = (other.is_live(), Purpose::RecognitionResearch);
    let _ = Grant { purpose: Purpose::RecognitionResearch, ..other }; //~ E0451
}
