//! The collector receives sealed samples, serves them to QA tools, and deletes them when consent is withdrawn.
//! `docs/protocol.md` defines its API.
//!
//! * **Input**: signed requests of devices; requests of QA tools with a token.
//! * **Output**: the requested resource, or a problem document (RFC 9457) with the reason.
//! * **Guarantees**: acknowledged requests survive a power failure; a withdrawn sample never comes back, however late
//!   an upload arrives; every download is recorded in the access log before the sample is sent.
//! * **Never**: stores a client's address, its user agent or a time finer than the ISO week; holds a key that decrypts
//!   a sample; logs an id, a token or audio.
//!
//! A request passes `server` (connections, TLS), `middleware` (rate limits, metrics), a handler in `routes` with its
//! `extractors` (signatures, tokens, bodies), and `storage`, which combines `database` and `blob_store`.
//!
//! Programs without an async runtime start with [`BlockingServer`], others with [`Server`]:
//!
//! ```
//! use sordino_collector::{BlockingServer, Config};
//!
//! let folder = tempfile::tempdir()?;
//! let config = Config { listen: "127.0.0.1:0".to_owned(), ..Config::new(folder.path()) };
//! let collector = BlockingServer::start(config)?;
//! let token = collector.create_token("me", &sordino::Purpose::QualityAssurance.into())?;
//! println!("{} accepts {}", collector.url(), token.as_str());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admin;
mod age_header;
mod app_state;
mod blob_store;
mod budgets;
mod clock;
mod config;
mod database;
mod dates;
mod digest;
mod errors;
mod extractors;
mod file_identity;
mod merkle;
mod metrics;
mod middleware;
mod readiness;
mod router;
mod routes;
mod server;
mod startup;
mod storage;

pub use admin::{
    backup::{BackupError, BackupReport, RestoreReport, back_up, restore},
    maintenance::{
        CheckReport, MaintenanceError, WithdrawalReport, check, delete_samples, renew_epoch,
        withdraw_record,
    },
    plan::{RefreshError, Refreshed, refresh_plan},
    quarantine::{QuarantineError, delete_quarantined, quarantined, release},
    retention::enforce_retention,
    tokens::{
        Lifetime, ListedToken, Token, TokenError, TokenState, create_token, list_tokens,
        revoke_tokens,
    },
};
pub use clock::Clock;
pub use config::{
    Config, DatabaseUrl, Limits, ObjectsUrl, PostgresUrl, Proxies, ProxyHeader, Rate, RateLimits,
    TlsFiles, UrlError, Verdicts, parse_name,
};
pub use database::Quarantined;
pub use server::{Server, blocking::BlockingServer};
pub use startup::StartError;
