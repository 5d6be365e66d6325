//! End-to-end tests of the collector over TCP.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod accesses;
mod attacks;
mod audit;
mod backups;
mod commands;
mod consents;
mod crashes;
mod database;
mod deployment;
mod disk_and_clock_faults;
mod epochs;
mod faults;
mod freshness;
mod limits;
mod maintenance;
mod operations;
mod outages;
mod overload;
mod plans;
mod quarantine;
mod races;
mod readers;
mod real_services;
mod remote_storage;
mod reviews;
mod samples;
mod services;
mod signatures;
mod support;
mod tls;
mod tokens;
mod traces;
mod transport;
