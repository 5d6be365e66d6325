//! Without grants no request carries a sample.
use std::path::PathBuf;

use sordino::{
    outbox::SampleEntry,
    upload::{Endpoint, sample_request},
};

pub fn main(endpoint: &Endpoint, entry: &SampleEntry, file: PathBuf) {
    let _ = (endpoint, entry, &file);
    let _ = sample_request(endpoint, entry, file); //~ E0061
}
