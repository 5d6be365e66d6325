//! Builds for tests: the SDK, the library that apps load, the programs and all test programs.

use std::{env, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::process::{cargo, run, target};

/// Builds in target/debug; with `all` also sordino-bindgen.
///
/// `cargo test` and `cargo clippy` without -p use the same packages and features, the default-members of Cargo.toml, so no
/// dependency is compiled twice. `--tests` also enables the features that tests need of shared dependencies. The generator
/// is built separately, since it needs other features of dependencies that it shares with the SDK.
pub fn build(all: bool) -> Result<()> {
    run(cargo().args(["build", "--quiet", "--lib", "--bins", "--tests"]))?;
    if all { generator() } else { Ok(()) }
}

pub fn generator() -> Result<()> {
    run(cargo().args(["build", "--quiet", "-p", "sordino-bindgen"]))
}

/// The folder with `sordino`, `sordino-collector`, `sordino-bindgen` and the library that apps load: `SORDINO_PROGRAMS`, or
/// else target/debug, where they are built first. Tests of other languages call Cargo only through this function.
pub fn programs() -> Result<PathBuf> {
    if let Some(folder) = given_programs()? {
        return Ok(folder);
    }
    build(true)?;
    Ok(target().join("debug"))
}

/// `SORDINO_PROGRAMS` as an absolute path.
pub fn given_programs() -> Result<Option<PathBuf>> {
    let Some(folder) = env::var_os("SORDINO_PROGRAMS").filter(|folder| !folder.is_empty()) else {
        return Ok(None);
    };
    let folder = PathBuf::from(folder);
    let absolute = folder.canonicalize();
    Ok(Some(absolute.with_context(|| {
        format!("SORDINO_PROGRAMS={}", folder.display())
    })?))
}
