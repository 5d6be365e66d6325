//! Only the engine opens the consent store and has its revocation flags.
use sordino::consent::Grants;

pub fn main() {
    let _ = Grants::is_live;
    let _: Option<sordino::consent::ConsentStore>; //~ E0603
    let _: Option<sordino::consent::revocation_flag::RevocationFlag>; //~ E0603
    let _: Option<sordino::consent::RevocationRecords>; //~ E0603
}
