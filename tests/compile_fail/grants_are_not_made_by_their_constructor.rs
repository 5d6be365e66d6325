//! The store's constructor is private.
use sordino::consent::Grants;

pub fn main() {
    let _ = Grants::record;
    let _ = Grants::new; //~ E0624
}
