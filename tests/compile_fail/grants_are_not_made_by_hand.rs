//! Only the consent store grants.
use sordino::consent::Grants;

pub fn main(old: Grants) {
    let _ = old.record();
    let _ = Grants { notice_version: 2, ..old }; //~ E0451
}
