//! The store's own constructor is out of reach.
use sordino::consent::Grants;

pub fn main() {
    let _ = Grants::record;
    let _ = Grants::new; //~ E0624
}
