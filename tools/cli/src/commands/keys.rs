//! Keys of QA engineers.

use std::path::Path;

use serde_json::json;

use sordino::open;

use crate::{failure::Failure, reply::Reply};

pub(super) fn keygen(out: &Path) -> Result<Reply, Failure> {
    let recipient = open::keygen(out).map_err(Failure::said)?;
    Reply::new(
        format!("wrote {}\nrecipient: {recipient}", out.display()),
        json!({ "identity": out, "recipient": recipient.to_string() }),
    )
}
