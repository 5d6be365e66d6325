//! Parse and validate the parts of a request: signature, token, path, query and body.

pub(crate) mod content_digest;
pub(crate) mod limited_body;
pub(crate) mod pagination;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod reader;
pub(crate) mod signature;
mod structured_fields;
