//! The trait that closes the set of purposes is out of reach.
use sordino::consent::PurposeType;

pub fn main<P: PurposeType>() {
    let _ = P::PURPOSE;
    let _: Option<&dyn sordino::consent::grant::closed::Closed>; //~ E0603
}
