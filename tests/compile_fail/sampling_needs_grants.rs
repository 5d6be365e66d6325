//! That an app thinks that it may listen is no leave to hold sound.
use sordino::{consent::Grants, sampler::Sampler};

pub fn main(sampler: &mut Sampler, grants: Grants) {
    sampler.permit(grants);
    sampler.permit(true); //~ E0308
}
