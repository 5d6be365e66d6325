//! Only the consent store grants.
use sordino::consent::{Grant, QualityAssurance};

pub fn main(other: Grant<QualityAssurance>) {
    let _ = other.is_live();
    let _ = Grant::<QualityAssurance> { ..other }; //~ E0451 E0451
}
