//! Grants cannot be copied for later use.
use sordino::consent::{AgeBand, Grants};

fn cloned<T: Clone>() {}

pub fn main() {
    cloned::<AgeBand>();
    cloned::<Grants>(); //~ E0277
}
