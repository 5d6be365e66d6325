//! The trait that seals the set of purposes is private.
use sordino::consent::PurposeType;

pub fn main<P: PurposeType>() {
    let _ = P::PURPOSE;
    let _: Option<&dyn sordino::consent::grant::sealed::Sealed>; //~ E0603
}
