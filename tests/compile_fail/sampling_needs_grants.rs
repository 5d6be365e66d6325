//! An app that may listen may not therefore buffer audio.
use sordino::{consent::Grants, sampler::Sampler};

pub fn main(sampler: &mut Sampler, grants: Grants) {
    sampler.permit(grants);
    sampler.permit(true); //~ E0308
}
