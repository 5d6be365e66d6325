//! What makes a grant live or die is out of reach.
use sordino::consent::{Grant, Grants};

pub fn main(grant: &Grant, grants: &Grants) {
    let _ = (grant.purpose(), grants.purposes());
    let _ = &grant.lease; //~ E0616
    let _ = &grants.identity; //~ E0616
}
