#![allow(missing_docs, reason = "a program, not a library")]

// Called once the commands stand.
#[allow(dead_code)]
mod open;

fn main() {}
