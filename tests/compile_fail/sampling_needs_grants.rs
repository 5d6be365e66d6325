//! Permission to listen does not permit the app to buffer audio.
use sordino::{consent::Grants, sampler::Sampler};

pub fn main(sampler: &mut Sampler, grants: Grants) {
    sampler.permit(grants);
    sampler.permit(true); //~ E0308
}
