//! Leave cannot be kept for later by copying it.
use sordino::consent::{AgeBand, Grant};

fn cloned<T: Clone>() {}

pub fn main() {
    cloned::<AgeBand>();
    cloned::<Grant>(); //~ E0277
}
