//! What bad input gets: recordings, disks, plans, clocks, collectors and keys that are not as they
//! should be. One clear line, nothing lost, nothing half-written, nothing sent without a grant.

mod audit;
mod clocks;
mod collectors;
mod disks;
mod fake_server;
mod plans;
mod pull;
mod recordings;
