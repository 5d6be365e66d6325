//! Who opens.

use std::sync::LazyLock;

use sordino::open::Identity;

/// One identity, drawn anew in each process: no input names it.
pub static IDENTITIES: LazyLock<Vec<Identity>> = LazyLock::new(|| vec![Identity::generate()]);
