//! The collector as its clients meet it: a service that was really started, over TCP.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod accesses;
mod attacks;
mod audit;
mod backups;
mod beyond;
mod commands;
mod consents;
mod crashes;
mod crowds;
mod database;
mod deployment;
mod epochs;
mod faults;
mod freshness;
mod hardships;
mod limits;
mod operating;
mod outages;
mod plans;
mod quarantine;
mod races;
mod real_services;
mod reviews;
mod samples;
mod services;
mod signatures;
mod support;
mod tls;
mod tokens;
mod tools;
mod traces;
mod transport;
mod upkeep;
