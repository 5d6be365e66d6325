//! Disclosure: what the owner of an app has to say about Sordino, as tables.
//!
//! * **In**: nothing. Everything here is constant.
//! * **Out**: what leaves a device, member by member ([`REQUESTS`], [`AGE_FILE`], [`MANIFEST`]); the data, its
//!   purposes and the risks ([`CATEGORIES`], [`PURPOSES`], [`RISKS`]); what law asks and what meets it
//!   ([`GDPR`], [`COPPA_RULE`]); what app stores ask ([`STORE_DATA`], [`APPLE_APIS`]).
//! * **Promises**: `sordino papers` writes its papers from these tables alone; a test finds nothing in a
//!   device's traffic that is not in them; each file and each test that they name is there.
//! * **Never**: legal advice. What only the owner of the app can know or decide is said to be theirs.

mod data;
mod evidence;
mod field;
mod law;
mod manifest;
mod measure;
pub mod record;
mod registration;
mod rights;
mod risk;
mod stores;
mod wire;

pub use data::{CATEGORIES, Category, PURPOSES, PurposeFacts, StatedCategory};
pub use evidence::Evidence;
pub use field::{Field, Personal, Shape};
pub use law::{Article, COPPA_RULE, Duty, GDPR};
pub use manifest::MANIFEST;
pub use measure::{MEASURES, Measure};
pub use registration::REGISTRATION;
pub use rights::{RIGHTS, Right};
pub use risk::{Level, RISKS, Risk};
pub use stores::{APPLE_APIS, AppleApi, STORE_DATA, StoreData};
pub use wire::{AGE_FILE, ARCHIVE, BodyShape, NETWORK, REQUESTS, Seen, WireRequest};
