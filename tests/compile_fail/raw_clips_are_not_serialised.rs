//! Raw sound has no form outside memory.
extern crate serde;
use sordino::sampler::{Annotation, RawClip};

fn serialised<T: serde::Serialize>() {}

pub fn main() {
    serialised::<Annotation>();
    serialised::<RawClip>(); //~ E0277
}
