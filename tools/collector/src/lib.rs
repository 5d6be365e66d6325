//! The collector: the service that receives sealed samples, hands them to QA tools, and takes them
//! back from everywhere when consent is withdrawn. `docs/protocol.md` is its contract.
//!
//! * **In**: signed requests of devices; requests of QA tools with a token.
//! * **Out**: what was asked for, or a problem document (RFC 9457) that says why not.
//! * **Promises**: what was acknowledged survives a power cut; what was withdrawn never comes back,
//!   however late an upload arrives; nothing is handed out before that is noted.
//! * **Never**: keeps a client's address, its user agent or a time finer than the ISO week; holds a
//!   key that opens a sample; logs an id, a token or a sound.
//!
//! A program without an async runtime begins with [`BlockingServer`], any other with [`Server`]:
//!
//! ```
//! use sordino_collector::{BlockingServer, Config};
//!
//! let folder = tempfile::tempdir()?;
//! let config = Config { listen: "127.0.0.1:0".to_owned(), ..Config::new(folder.path()) };
//! let collector = BlockingServer::start(config)?;
//! let token = collector.create_token("me", &sordino::Purpose::QualityAssurance.into())?;
//! println!("{} takes {}", collector.url(), token.as_str());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod age_header;
mod app;
mod blocking;
mod body;
mod config;
mod database;
mod digest;
mod objects;
mod problem;
mod routes;
mod server;
mod signature;
mod storage;
mod structured;
mod tokens;

pub use blocking::BlockingServer;
pub use config::{Config, DatabaseUrl, Limits, ObjectsUrl, UrlError};
pub use server::{Server, StartError};
pub use tokens::{Token, TokenError, create_token};
