//! Grants that were passed to the sampler cannot be used again.
use sordino::{consent::Grants, sampler::Sampler};

pub fn main(sampler: &mut Sampler, grants: Grants) {
    sampler.permit(grants);
    let _ = grants.is_live(); //~ E0382
}
