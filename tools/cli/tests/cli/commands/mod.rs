//! Every command of `sordino`, run as a script runs it: words in, one document or lines out, and an
//! exit status.

mod audit;
mod consent;
mod deletion;
#[cfg(unix)]
mod demo;
mod device;
mod export;
mod keys_and_plans;
mod notice;
mod outputs;
mod pull;
mod receipts;
mod recordings;
mod reset;
mod review;
mod sealing;
mod terminal_output;
mod texts;
mod usage;
