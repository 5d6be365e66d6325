//! What makes a grant valid is out of reach.
use sordino::consent::{Grant, Grants, QualityAssurance};

pub fn main(grant: &Grant<QualityAssurance>, grants: &Grants) {
    let _ = (grant.purpose(), grants.purposes());
    let _ = &grant.validity; //~ E0616
    let _ = &grants.validity; //~ E0616
    let _ = &grants.identity; //~ E0616
}
