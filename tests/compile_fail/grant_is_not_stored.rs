//! A grant cannot be serialized and read back after a withdrawal.
extern crate serde;
use sordino::consent::{AgeBand, Grant, QualityAssurance};

fn read_back<T: for<'de> serde::Deserialize<'de>>() {}

pub fn main() {
    read_back::<AgeBand>();
    read_back::<Grant<QualityAssurance>>(); //~ E0277
}
