//! Leave that was given to the sampler is not kept for later.
use sordino::{consent::Grants, sampler::Sampler};

pub fn main(sampler: &mut Sampler, grants: Grants) {
    sampler.permit(grants);
    let _ = grants.is_live(); //~ E0382
}
