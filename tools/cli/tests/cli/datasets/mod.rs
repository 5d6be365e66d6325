//! Pulled datasets as those see them who work with them: other people's readers load each format, and
//! what was withdrawn is in none of its files, whatever happened to the pulls.

mod hugging_face;
mod kills;
mod loads;
mod obstacles;
mod private;
mod quarantine;
mod unreadable;
mod verdicts;
