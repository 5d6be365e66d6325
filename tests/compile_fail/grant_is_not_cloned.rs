//! Leave cannot be kept for later by copying it.
use sordino::consent::{AgeBand, Grant, QualityAssurance};

fn cloned<T: Clone>() {}

pub fn main() {
    cloned::<AgeBand>();
    cloned::<Grant<QualityAssurance>>(); //~ E0277
}
