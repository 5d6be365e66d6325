//! What the crate's own tests grant themselves is not compiled into it.
use sordino::{anonymize::AnonymousClip, consent::Grants};

pub fn main() {
    let _ = (Grants::purposes, AnonymousClip::rate);
    let _ = Grants::for_test; //~ E0599
    let _ = AnonymousClip::for_test; //~ E0599
}
