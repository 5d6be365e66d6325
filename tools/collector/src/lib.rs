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
mod app_state;
mod backup;
mod blocking;
mod limited_body;
mod budgets;
mod client_ip;
mod clock;
mod config;
mod connections;
mod database;
mod digest;
mod epoch;
mod eraser;
mod middleware;
mod file_identity;
mod listener;
mod merkle;
mod metrics;
mod blob_store;
mod plan;
mod errors;
mod quarantine;
mod rate_limit;
mod readiness;
mod retention;
mod routes;
mod server;
mod signature;
mod storage;
mod structured_fields;
mod write_timeout;
mod tls;
mod tokens;
mod maintenance;
mod group_commit;

pub use backup::{BackupError, BackupReport, RestoreReport, back_up, restore};
pub use blocking::BlockingServer;
pub use client_ip::{Proxies, ProxyHeader};
pub use clock::Clock;
pub use config::{
    Config, DatabaseUrl, Limits, ObjectsUrl, PostgresUrl, UrlError, Verdicts, parse_name,
};
pub use database::Quarantined;
pub use epoch::renew_epoch;
pub use plan::{RefreshError, Refreshed, refresh_plan};
pub use quarantine::{QuarantineError, delete_quarantined, quarantined, release};
pub use rate_limit::{Rate, RateLimits};
pub use retention::enforce_retention;
pub use server::{Server, StartError};
pub use tls::TlsFiles;
pub use tokens::{
    Lifetime, ListedToken, Token, TokenError, TokenState, create_token, list_tokens, revoke_tokens,
};
pub use maintenance::{CheckReport, MaintenanceError, WithdrawalReport, check, delete_samples, withdraw_record};
