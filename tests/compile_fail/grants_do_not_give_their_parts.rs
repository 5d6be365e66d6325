//! What makes a grant live or die is out of reach.
use sordino::consent::{Grant, Grants, QualityAssurance};

pub fn main(grant: &Grant<QualityAssurance>, grants: &Grants) {
    let _ = (grant.purpose(), grants.purposes());
    let _ = &grant.leave; //~ E0616
    let _ = &grants.leave; //~ E0616
    let _ = &grants.identity; //~ E0616
}
