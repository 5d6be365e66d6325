//! The AAR of sordino-android: classes of both modules, manifest, rules for R8, and the library for each ABI.
//!
//! JNA is a dependency of its own, as an AAR: `net.java.dev.jna:jna:VERSION@aar`.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use regex::Regex;

use super::folder;
use crate::process::{cargo, cmd, copy, copy_folder, create_folder, read, run, target};

#[derive(Args)]
pub struct Options {
    out: PathBuf,
    /// Use this library of this machine for all four ABIs, to check the layout without an Android NDK. Such an AAR does not
    /// run on a device, as a file in it states
    #[arg(long, value_name = "LIBRARY")]
    placeholder: Option<PathBuf>,
}

pub const ABIS: [Abi; 4] = [
    Abi {
        name: "arm64-v8a",
        rust: "aarch64-linux-android",
        clang: "aarch64-linux-android",
    },
    Abi {
        name: "armeabi-v7a",
        rust: "armv7-linux-androideabi",
        clang: "armv7a-linux-androideabi",
    },
    Abi {
        name: "x86_64",
        rust: "x86_64-linux-android",
        clang: "x86_64-linux-android",
    },
    Abi {
        name: "x86",
        rust: "i686-linux-android",
        clang: "i686-linux-android",
    },
];

pub struct Abi {
    pub name: &'static str,
    /// Its target triple in Rust.
    rust: &'static str,
    /// Its target triple in the NDK's clang.
    clang: &'static str,
}

/// `aar-metadata.properties`, which the Android Gradle plugin reads.
const METADATA: &str = "aarFormatVersion=1.0\naarMetadataVersion=1.0\nminCompileSdk=34\n";
/// The first API level with `libaaudio.so`.
const AAUDIO_API_LEVEL: u32 = 26;

pub fn build(options: &Options) -> Result<()> {
    let out = std::path::absolute(&options.out)?;
    let libraries = match &options.placeholder {
        Some(library) => Libraries::Placeholder(std::path::absolute(library)?),
        None => {
            let tools = find_ndk()?;
            check_rust_targets()?;
            Libraries::Ndk { tools }
        }
    };
    let core = folder().join("sordino/target/classes");
    let android = folder().join("sordino-android/target/classes");
    if !core.join("dev/sordino/Sordino.class").exists() {
        bail!("the compiled classes are missing: run `cargo xtask kotlin build` first");
    }
    let work = tempfile::tempdir()?;
    let layout = work.path().join("aar");
    write_resources(&layout)?;

    // One JAR of both modules, without the library for desktops.
    let classes = work.path().join("classes");
    for module in [&core, &android] {
        copy_folder(&module.join("dev"), &classes.join("dev"))?;
        copy_folder(&module.join("META-INF"), &classes.join("META-INF"))?;
    }
    jar(&classes, &layout.join("classes.jar"))?;

    for abi in &ABIS {
        let library = layout.join("jni").join(abi.name).join("libsordino.so");
        libraries.write(abi, &library)?;
        check_links(&library, &core, &libraries.tool_prefix())?;
    }
    if options.placeholder.is_some() {
        let note = "The libraries in this AAR are placeholders for another platform; it does not run on a device.\n";
        fs::write(layout.join("PLACEHOLDER.txt"), note)?;
    }
    if out.exists() {
        fs::remove_file(&out)?;
    }
    jar(&layout, &out)?;
    let note = if options.placeholder.is_some() {
        " with placeholder libraries"
    } else {
        ""
    };
    eprintln!("wrote {}{note}", out.display());
    Ok(())
}

enum Libraries {
    Placeholder(PathBuf),
    Ndk { tools: PathBuf },
}

impl Libraries {
    fn write(&self, abi: &Abi, out: &Path) -> Result<()> {
        match self {
            Self::Placeholder(library) => copy(library, out),
            Self::Ndk { tools } => build_library(abi, out, tools),
        }
    }

    /// The prefix of nm and readelf.
    fn tool_prefix(&self) -> String {
        match self {
            Self::Placeholder(_) => String::new(),
            Self::Ndk { tools } => format!("{}/llvm-", tools.display()),
        }
    }
}

/// The API level of the manifest, the minimum that the AAR supports.
fn api_level() -> Result<u32> {
    let manifest =
        fs::read_to_string(folder().join("sordino-android/src/main/AndroidManifest.xml"))?;
    let level = Regex::new(r#"android:minSdkVersion="(\d+)""#)?;
    let level = level
        .captures(&manifest)
        .context("AndroidManifest.xml has no android:minSdkVersion")?;
    Ok(level[1].parse()?)
}

fn find_ndk() -> Result<PathBuf> {
    let ndk = env::var("ANDROID_NDK_HOME").unwrap_or_default();
    if ndk.is_empty() {
        bail!(
            "the Android NDK is missing: set ANDROID_NDK_HOME to one (r26 or later), or check the layout with --placeholder LIBRARY"
        );
    }
    let tools = PathBuf::from(&ndk).join(format!(
        "toolchains/llvm/prebuilt/{}-x86_64/bin",
        env::consts::OS
    ));
    if !tools.is_dir() {
        bail!(
            "ANDROID_NDK_HOME={ndk} has no {}; set it to an NDK for this machine",
            tools.display()
        );
    }
    Ok(tools)
}

fn check_rust_targets() -> Result<()> {
    let installed =
        PathBuf::from(read(cmd("rustc").args(["--print", "sysroot"]))?).join("lib/rustlib");
    let missing: Vec<_> = ABIS
        .iter()
        .map(|abi| abi.rust)
        .filter(|target| !installed.join(target).is_dir())
        .collect();
    if !missing.is_empty() {
        bail!(
            "Rust targets are missing: run `rustup target add {}`",
            missing.join(" ")
        );
    }
    Ok(())
}

/// Builds the library for one ABI, optimized for size and aligned to pages of 16 KiB (Android 15). It includes neither the
/// HTTP client nor the microphone: the package uses HttpURLConnection and AudioRecord. With the feature `microphone` it
/// would link libaaudio.so, and not load on systems without it.
fn build_library(abi: &Abi, out: &Path, tools: &Path) -> Result<()> {
    let clang = tools.join(format!("{}{}-clang", abi.clang, api_level()?));
    let (upper, under) = (
        abi.rust.to_uppercase().replace('-', "_"),
        abi.rust.replace('-', "_"),
    );
    let mut build = cargo();
    build
        .env(format!("CARGO_TARGET_{upper}_LINKER"), &clang)
        .env(format!("CC_{under}"), &clang);
    build.env(format!("AR_{under}"), tools.join("llvm-ar"));
    build.env(
        format!("CARGO_TARGET_{upper}_RUSTFLAGS"),
        "-C link-arg=-Wl,-z,max-page-size=16384",
    );
    build.args([
        "build",
        "--quiet",
        "-p",
        "sordino-ffi",
        "--target",
        abi.rust,
    ]);
    run(build.args(["--profile", "mobile", "--no-default-features"]))?;
    copy(&target().join(abi.rust).join("mobile/libsordino.so"), out)?;
    run(cmd(tools.join("llvm-strip")).arg("-x").arg(out))
}

/// Fails if `library` would not load: if it lacks a function that the classes call, or needs a library that is missing on
/// the oldest supported system.
fn check_links(library: &Path, classes: &Path, tool_prefix: &str) -> Result<()> {
    let oldest = api_level()?;
    let needed = read(
        cmd(format!("{tool_prefix}readelf"))
            .arg("--dynamic")
            .arg(library),
    )?;
    let binds_aaudio = needed
        .lines()
        .any(|line| line.contains("NEEDED") && line.contains("libaaudio"));
    if oldest < AAUDIO_API_LEVEL && binds_aaudio {
        bail!(
            "{} links libaaudio.so, which Android has since API level {AAUDIO_API_LEVEL}, but the manifest's minSdkVersion is {oldest}; build it without the feature microphone",
            library.display()
        );
    }
    let mut javap = cmd("javap");
    javap.arg("-cp").arg(classes).args([
        "-p",
        "dev.sordino.UniffiLib",
        "dev.sordino.IntegrityCheckingUniffiLib",
    ]);
    let native = Regex::new(r"native .*?((?:uniffi|ffi)_sordino_\w*)\(")?;
    let called: BTreeSet<_> = native
        .captures_iter(&read(&mut javap)?)
        .map(|found| found[1].to_owned())
        .collect();
    let symbols = read(
        cmd(format!("{tool_prefix}nm"))
            .args(["--dynamic", "--defined-only"])
            .arg(library),
    )?;
    let exported: BTreeSet<_> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = called.difference(&exported).collect();
    if let Some(first) = missing.first() {
        bail!(
            "{} does not export {} functions that the classes call, such as {first}; run `cargo xtask kotlin build`, which generates the bindings of this version",
            library.display(),
            missing.len()
        );
    }
    Ok(())
}

fn write_resources(layout: &Path) -> Result<()> {
    let main = folder().join("sordino-android/src/main");
    copy(
        &main.join("AndroidManifest.xml"),
        &layout.join("AndroidManifest.xml"),
    )?;
    copy(
        &folder().join("sordino-android/consumer-rules.pro"),
        &layout.join("proguard.txt"),
    )?;
    copy_folder(&main.join("res"), &layout.join("res"))?;
    // The names of all resources; the build of the app numbers them.
    let mut names = Vec::new();
    for entry in fs::read_dir(layout.join("res/xml"))? {
        let path = entry?.path();
        names.push(format!(
            "int xml {} 0x0\n",
            path.file_stem().unwrap_or_default().to_string_lossy()
        ));
    }
    names.sort();
    fs::write(layout.join("R.txt"), names.concat())?;
    let metadata = layout.join("META-INF/com/android/build/gradle");
    create_folder(&metadata)?;
    fs::write(metadata.join("aar-metadata.properties"), METADATA)?;
    Ok(())
}

fn jar(folder: &Path, out: &Path) -> Result<()> {
    let mut jar = cmd("jar");
    jar.current_dir(folder)
        .args(["--create", "--file"])
        .arg(out)
        .args(["--no-manifest", "."]);
    run(&mut jar)
}
