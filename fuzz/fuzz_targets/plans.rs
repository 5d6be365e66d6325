//! Any bytes as a sampling plan, as they came and signed by the organization: refused, or within the bounds and the same
//! when it is read again.

#![no_main]

mod signing;

use libfuzzer_sys::fuzz_target;
use sordino::plan::{Plan, PlanError};
use sordino::signed::{Signed, SignedError};

fuzz_target!(|bytes: &[u8]| {
    let organization = signing::key();
    let key = signing::public_key();
    assert!(
        Plan::verify(bytes, &key).is_err(),
        "nobody else has the key"
    );
    let Some(document) = signing::signed(bytes, &organization) else {
        return;
    };
    match Plan::verify(document.as_bytes(), &key) {
        Ok(plan) => {
            assert_eq!(plan.content().check_bounds(), Ok(()));
            let again = Plan::verify(plan.to_json().as_bytes(), &key).expect("it is as it was");
            assert_eq!(again.content(), plan.content());
            let signed_again =
                Signed::sign(plan.content().clone(), &organization).expect("an object");
            let signed_again =
                Plan::verify(signed_again.to_json().as_bytes(), &key).expect("it is within bounds");
            assert_eq!(signed_again.content(), plan.content());
        }
        Err(PlanError::Field { .. } | PlanError::Signature(SignedError::Shape(_))) => {}
        Err(error) => panic!("{error}: {document}"),
    }
});
