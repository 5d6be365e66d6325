//! Only the anonymiser says that a clip is anonymous.
use sordino::{
    anonymize::{Description, AnonymousClip},
    sampler::{Annotation, Selection},
};

pub fn main(selection: Selection, annotation: Annotation, anonymizer: Description) {
    let _ = (selection, &annotation, &anonymizer);
    let _ = AnonymousClip { samples: vec![0; 16_000], rate: 16_000, input_rate: 48_000, kept: vec![], removed: vec![], erased: vec![], selection, annotation, anonymizer }; //~ E0451
}
