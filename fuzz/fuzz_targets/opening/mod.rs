//! The identity that opens samples.

use std::sync::LazyLock;

use sordino::open::Identity;

/// One random identity per process, which no input can name.
pub static IDENTITIES: LazyLock<Vec<Identity>> = LazyLock::new(|| vec![Identity::generate()]);
