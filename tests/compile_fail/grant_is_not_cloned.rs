//! A grant cannot be copied for later use.
use sordino::consent::{AgeBand, Grant, QualityAssurance};

fn cloned<T: Clone>() {}

pub fn main() {
    cloned::<AgeBand>();
    cloned::<Grant<QualityAssurance>>(); //~ E0277
}
