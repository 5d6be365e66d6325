#[allow(dead_code, unreachable_pub, unused_imports)]
mod report;

fn main() {}
