//! Raw audio cannot be serialized.
extern crate serde;
use sordino::sampler::{Annotation, RawClip};

fn serialized<T: serde::Serialize>() {}

pub fn main() {
    serialized::<Annotation>();
    serialized::<RawClip>(); //~ E0277
}
