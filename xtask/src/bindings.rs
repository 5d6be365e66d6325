//! Steps that all bindings share: UniFFI generates the bindings of each language from the library.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{
    build,
    process::{cargo, cmd, copy, create_folder, root, run, target},
};

/// The name of the library that apps load.
pub const LIBRARY: &str = if cfg!(target_os = "macos") {
    "libsordino.dylib"
} else {
    "libsordino.so"
};

/// Licenses and credits of the library and of the weights in it, which each package ships.
const NOTICES: [&str; 4] = [
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "dsp/weights/silero_vad_16k.LICENSE",
    "dsp/weights/CREDITS.md",
];

pub fn copy_notices(out: &Path) -> Result<()> {
    for notice in NOTICES.map(Path::new) {
        copy(
            &root().join(notice),
            &out.join(notice.file_name().unwrap_or_default()),
        )?;
    }
    Ok(())
}

#[derive(Args)]
pub struct Generate {
    pub language: Language,
    /// The output folder
    pub out: PathBuf,
    #[command(flatten)]
    pub library: Library,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Language {
    Python,
    Kotlin,
    Swift,
}

/// The library that the bindings are generated from
///
/// By default it is the one in the folder SORDINO_PROGRAMS, or else a development build.
#[derive(Args, Clone, Default)]
pub struct Library {
    /// Use this library
    #[arg(long)]
    pub library: Option<PathBuf>,
    /// Build it with this profile of Cargo.toml
    #[arg(long, env = "PROFILE")]
    pub profile: Option<String>,
    /// Build it with these features
    #[arg(long, env = "FEATURES")]
    pub features: Option<String>,
}

impl Library {
    pub fn release(mut self) -> Self {
        if self.library.is_none() && self.profile.is_none() {
            self.profile = Some("release".to_owned());
        }
        self
    }

    /// The library in `programs`, unless an option selects another.
    pub fn or_in(mut self, programs: &Path) -> Self {
        if !self.is_chosen() {
            self.library = Some(programs.join(LIBRARY));
        }
        self
    }

    fn is_chosen(&self) -> bool {
        self.library.is_some() || self.profile.is_some() || self.features.is_some()
    }
}

pub fn generate(wanted: &Generate) -> Result<()> {
    let Generate {
        language,
        out,
        library,
    } = wanted;
    let out = &std::path::absolute(out)?;
    create_folder(out)?;
    let copied = out.join(LIBRARY);
    copy(&find_or_build(library)?, &copied)?;
    let bindgen = match build::given_programs()? {
        Some(programs) => programs.join("sordino-bindgen"),
        None => {
            build::generator()?;
            target().join("debug/sordino-bindgen")
        }
    };
    let language = match language {
        Language::Python => "python",
        Language::Kotlin => "kotlin",
        Language::Swift => "swift",
    };
    let mut bindgen = cmd(bindgen);
    bindgen
        .args([language, "uniffi.toml"])
        .arg(&copied)
        .arg(out)
        .stdout(Stdio::null());
    run(&mut bindgen)?;
    if library.profile.as_deref() == Some("mobile") {
        run(cmd("strip").arg("-x").arg(&copied))?;
    }
    Ok(())
}

fn find_or_build(wanted: &Library) -> Result<PathBuf> {
    if let Some(library) = &wanted.library {
        return Ok(std::path::absolute(library)?);
    }
    if !wanted.is_chosen()
        && let Some(programs) = build::given_programs()?
    {
        return Ok(programs.join(LIBRARY));
    }
    let profile = wanted.profile.as_deref().unwrap_or("dev");
    let features = wanted.features.as_deref().unwrap_or("microphone,http");
    build_library(profile, features)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target().join(folder).join(LIBRARY))
}

fn build_library(profile: &str, features: &str) -> Result<()> {
    let mut build = cargo();
    build.args([
        "build",
        "--quiet",
        "-p",
        "sordino-ffi",
        "--no-default-features",
    ]);
    build.args(["--features", features, "--profile", profile]);
    // The generator reads the symbols of the library, so it is stripped only afterwards.
    run(build.env("CARGO_PROFILE_MOBILE_STRIP", "none"))
}

/// Copies a file if the contents differ, so that build tools see no change where there is none.
pub fn copy_if_new(from: &Path, to: &Path) -> Result<()> {
    if fs::read(to).ok() == Some(fs::read(from)?) {
        Ok(())
    } else {
        copy(from, to)
    }
}
