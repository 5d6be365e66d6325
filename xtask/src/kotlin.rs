//! The Kotlin binding: `bindings/kotlin`, built by Maven.

mod aar;
mod aar_test;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use regex::Regex;

use crate::{
    bindings::{self, Generate, LIBRARY, Language, Library},
    build,
    markdown::code_blocks,
    process::{cmd, copy_folder, create_folder, empty_folder, is_soak, maven, root, run},
};

#[derive(Subcommand)]
pub enum Task {
    /// Build the JARs and install them into the local Maven repository
    Build {
        #[command(flatten)]
        library: Library,
        /// Options for Maven
        #[arg(last = true)]
        maven: Vec<String>,
    },
    /// Test it on the JVM with the real library and a real collector, and for Android under Robolectric
    ///
    /// OPENINGS is the number of engines that the leak test opens and closes: 2000, or 10000 with SORDINO_SOAK=1.
    Test(Library),
    /// Write the API reference as HTML, by Dokka: OUT/sordino and OUT/sordino-android
    Docs { out: PathBuf },
    /// Measure the share of a core for pushing and receiving 48 kHz mono in frames of 10 ms
    Bench(Library),
    /// Build the AAR of sordino-android, with libsordino.so for arm64-v8a, armeabi-v7a, x86_64 and x86
    Aar(aar::Options),
}

pub fn perform(task: Task) -> Result<()> {
    match task {
        Task::Build { library, maven } => {
            install_jars(library, &maven)?;
            println!(
                "built dev.sordino:sordino and dev.sordino:sordino-android, and installed them into the local Maven repository"
            );
            Ok(())
        }
        Task::Test(library) => test(library),
        Task::Docs { out } => docs(&out),
        Task::Bench(library) => bench(library),
        Task::Aar(options) => aar::build(&options),
    }
}

pub fn install_jars(library: Library, options: &[String]) -> Result<()> {
    generate(library)?;
    let mut install = maven(&folder());
    run(install
        .args(["--quiet", "install", "-Dmaven.test.skip=true"])
        .args(options))
}

fn test(library: Library) -> Result<()> {
    let programs = build::programs()?;
    generate(library.or_in(&programs))?;
    write_quick_start()?;
    let openings = env::var("OPENINGS")
        .unwrap_or_else(|_| if is_soak() { "10000" } else { "2000" }.to_owned());
    let mut install = maven(&folder());
    install
        .arg("install")
        .arg(format!("-Dsordino.programs={}", programs.display()));
    install.args([
        &format!("-Dsordino.tests.openings={openings}"),
        "-Dstyle.color=never",
    ]);
    let output = install
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run mvn")?;
    let kept = Regex::new(r"^\[(INFO|ERROR|WARNING)\] (Tests run|BUILD)|ERROR|openings:")?;
    for line in String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| kept.is_match(line))
    {
        println!("{line}");
    }
    if !output.status.success() {
        bail!("Maven failed: {}", output.status);
    }
    aar_test::run_all()
}

fn docs(out: &Path) -> Result<()> {
    let out = std::path::absolute(out)?;
    if !generated().join("kotlin").exists() {
        generate(Library::default())?;
    }
    let mut package = maven(&folder());
    package.args([
        "--quiet",
        "-pl",
        "sordino,sordino-android",
        "package",
        "dokka:dokka",
    ]);
    run(package.arg("-Dmaven.test.skip=true"))?;
    for module in ["sordino", "sordino-android"] {
        empty_folder(&out.join(module))?;
        copy_folder(
            &folder().join(module).join("target/dokka"),
            &out.join(module),
        )?;
    }
    Ok(())
}

fn bench(library: Library) -> Result<()> {
    generate(library.release())?;
    write_quick_start()?;
    let module = folder().join("sordino/target");
    let listed = module.join("classpath");
    let mut compile = maven(&folder());
    compile.args([
        "--quiet",
        "-pl",
        "sordino",
        "test-compile",
        "dependency:build-classpath",
    ]);
    compile
        .arg(format!("-Dmdep.outputFile={}", listed.display()))
        .arg("-Dmdep.includeScope=test");
    run(compile.stdout(Stdio::null()))?;
    let classes = [
        module.join("test-classes"),
        module.join("classes"),
        fs::read_to_string(listed)?.trim().into(),
    ];
    let classes = classes.map(|path| path.display().to_string()).join(":");
    run(cmd("java").args(["-cp", &classes, "dev.sordino.BenchmarkKt"]))
}

fn folder() -> PathBuf {
    root().join("bindings/kotlin")
}

/// The folder from which Maven takes the generated bindings and the library.
fn generated() -> PathBuf {
    folder().join("sordino/target/generated")
}

/// Writes the bindings to `generated()/kotlin`, and the library to `generated()/native`, in a folder with JNA's name for
/// this machine, with the licenses and credits in META-INF/sordino.
fn generate(library: Library) -> Result<()> {
    let out = generated().join("kotlin");
    bindings::generate(&Generate {
        language: Language::Kotlin,
        out: out.clone(),
        library,
    })?;
    // Renamed, since Kotlin derives a class from each file's name, and Sordino.kt has SordinoKt.
    let package = out.join("dev/sordino");
    let text = fs::read_to_string(package.join("sordino.kt"))?;
    fs::remove_file(package.join("sordino.kt"))?;
    fs::write(package.join("Bindings.kt"), fix(&text)?)?;

    let native = generated().join("native").join(native_folder());
    create_folder(&native)?;
    fs::rename(out.join(LIBRARY), native.join(LIBRARY))?;
    bindings::copy_notices(&generated().join("native/META-INF/sordino"))
}

/// Makes classes with a handle of the library final, since a subclass could be `Cloneable` and free the handle twice, and
/// restores the message of an exception, which UniFFI overrides with a list of all fields.
fn fix(text: &str) -> Result<String> {
    let open = Regex::new(r"(?m)^open (class \w+: Disposable\b)")?;
    let message = Regex::new(concat!(
        r"val `message`: kotlin\.String(\s*\) : SordinoException\(\)) \{",
        r#"\s*override val message\s*get\(\) = "[^"]*"\s*\}"#,
    ))?;
    let text = open.replace_all(text, "$1");
    Ok(message
        .replace_all(&text, "override val `message`: kotlin.String$1")
        .into_owned())
}

/// JNA's name for this machine.
fn native_folder() -> String {
    let system = if cfg!(target_os = "macos") {
        "darwin"
    } else {
        "linux"
    };
    let processor = match env::consts::ARCH {
        "x86_64" => "x86-64",
        other => other,
    };
    format!("{system}-{processor}")
}

/// Extracts the programs of docs/quickstart/kotlin.md for the tests: each Kotlin block is a file, named in its first line.
/// Those of the package com.example.etude are for Android.
fn write_quick_start() -> Result<()> {
    let jvm = folder().join("sordino/target/quickstart");
    let android = folder().join("sordino-android/target/quickstart");
    empty_folder(&jvm)?;
    empty_folder(&android)?;
    let name = Regex::new(r"^// ([A-Za-z]+\.kt)\b")?;
    for block in code_blocks("docs/quickstart/kotlin.md", "kotlin")? {
        let first = block.lines().next().unwrap_or_default();
        let name = name.captures(first).with_context(|| {
            format!("a Kotlin block of docs/quickstart/kotlin.md does not name its file: {first}")
        })?;
        let is_android = block
            .lines()
            .any(|line| line == "package com.example.etude");
        let folder = if is_android { &android } else { &jvm };
        fs::write(folder.join(&name[1]), block)?;
    }
    Ok(())
}
