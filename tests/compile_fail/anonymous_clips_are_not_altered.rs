//! The audio of an anonymous clip cannot be replaced afterwards.
use sordino::anonymize::AnonymousClip;

pub fn main(clip: &mut AnonymousClip, other: Vec<i16>) {
    let _ = (&clip, &other);
    clip.samples = other; //~ E0616
}
