//! The buffer of raw audio does not leave its clip.
use sordino::sampler::RawClip;

pub fn main(clip: RawClip) {
    let _ = clip.samples().len();
    let _ = clip.samples; //~ E0616
}
