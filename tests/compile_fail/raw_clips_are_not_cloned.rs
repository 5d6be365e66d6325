//! There is one copy of raw sound, so that wiping it wipes it.
use sordino::sampler::{RawClip, Selection};

fn cloned<T: Clone>() {}

pub fn main() {
    cloned::<Selection>();
    cloned::<RawClip>(); //~ E0277
}
