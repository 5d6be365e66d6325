//! Only the anonymizer creates anonymous clips.
use sordino::{
    anonymize::{AnonymizerInfo, AnonymousClip},
    sampler::{Annotation, Selection},
};

pub fn main(selection: Selection, annotation: Annotation, anonymizer: AnonymizerInfo) {
    let _ = (selection, &annotation, &anonymizer);
    let _ = AnonymousClip { samples: Default::default(), input_rate: 48_000, kept: vec![], removed: vec![], erased: vec![], selection, annotation, anonymizer }; //~ E0451
}
