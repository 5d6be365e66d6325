//! The parts of a grant that make it valid are private.
use sordino::consent::{Grant, Grants, QualityAssurance};

pub fn main(grant: &Grant<QualityAssurance>, grants: &Grants) {
    let _ = (grant.purpose(), grants.purposes());
    let _ = &grant.validity; //~ E0616
    let _ = &grants.validity; //~ E0616
    let _ = &grants.identity; //~ E0616
}
