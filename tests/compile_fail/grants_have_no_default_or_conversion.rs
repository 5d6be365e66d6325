//! No default and no conversion creates a grant.
use sordino::consent::{ConsentStatus, Grants, SignedRecord};

pub fn main(status: ConsentStatus, record: SignedRecord) {
    let _ = (&status.receipt, record.signer());
    let _ = Grants::default(); //~ E0599
    let _ = Grants::from(status); //~ E0308
    let _ = Grants::from(record); //~ E0308
}
