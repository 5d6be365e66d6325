//! There is one copy of raw audio, so wiping it is complete.
use sordino::sampler::{RawClip, Selection};

fn cloned<T: Clone>() {}

pub fn main() {
    cloned::<Selection>();
    cloned::<RawClip>(); //~ E0277
}
