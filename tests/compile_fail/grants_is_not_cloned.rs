//! Leave cannot be kept for later by copying it.
use sordino::consent::{AgeBand, Grants};

fn cloned<T: Clone>() {}

pub fn main() {
    cloned::<AgeBand>();
    cloned::<Grants>(); //~ E0277
}
