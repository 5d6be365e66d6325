//! Bad input: invalid recordings, disks, plans, clocks, collectors and keys.
//! Each results in one clear line; nothing is lost, half-written, or sent without a grant.

mod audit;
mod clocks;
mod collectors;
mod disks;
mod fake_server;
mod plans;
mod pull;
mod recordings;
