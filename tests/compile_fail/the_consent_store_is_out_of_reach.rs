//! Nobody but the engine opens the store, whose leases are nobody's.
use sordino::consent::Grants;

pub fn main() {
    let _ = Grants::is_live;
    let _: Option<sordino::consent::ConsentStore>; //~ E0603
    let _: Option<sordino::consent::lease::Lease>; //~ E0603
    let _: Option<sordino::consent::RevocationRecords>; //~ E0603
}
