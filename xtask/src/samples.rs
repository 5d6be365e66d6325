//! The desktop sample app, with the parts that it shares with the Android app: `samples`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use regex::Regex;

use crate::{
    bindings::Library,
    build, kotlin,
    process::{Running, cmd, maven, root, run},
};

#[derive(Subcommand)]
pub enum Task {
    /// Build the desktop app in samples/desktop/target
    Build(Library),
    /// Build and start the desktop app, with its own organization and collector
    Run {
        /// The folder for its files
        #[arg(default_value = "samples/desktop/target/demo")]
        folder: PathBuf,
    },
    /// Test the sample apps: parts without a window, then the desktop app under Xvfb, with a virtual microphone of
    /// PulseAudio that plays recordings
    ///
    /// It writes screenshots to samples/desktop/target/screens.
    Test {
        #[command(flatten)]
        library: Library,
        /// Options for Maven
        #[arg(last = true)]
        maven: Vec<String>,
    },
}

pub fn perform(task: Task) -> Result<()> {
    match task {
        Task::Build(library) => make(library),
        Task::Run { folder } => start(&folder),
        Task::Test { library, maven } => test(library, &maven),
    }
}

fn make(library: Library) -> Result<()> {
    kotlin::install_jars(library, &[])?;
    run(maven(&root().join("samples")).args(["--quiet", "package", "-DskipTests"]))
}

fn start(folder: &Path) -> Result<()> {
    let programs = build::programs()?;
    make(Library::default().or_in(&programs))?;
    let target = root().join("samples/desktop/target");
    let classes = format!("{0}/classes:{0}/lib/*", target.display());
    let mut java = cmd("java");
    java.args(["-cp", &classes, "dev.sordino.etude.desktop.MainKt"])
        .arg(std::path::absolute(folder)?);
    run(java.arg(programs).arg(root().join("samples/plan.toml")))
}

fn test(library: Library, options: &[String]) -> Result<()> {
    let programs = build::programs()?;
    kotlin::install_jars(library.or_in(&programs), &[])?;
    let devices = SoundDevices::start()?;
    let mut verify = cmd("xvfb-run");
    devices.enter(&mut verify);
    // Software rendering, since Xvfb has no graphics card.
    verify.env("SKIKO_RENDER_API", "SOFTWARE");
    verify.args(["--auto-servernum", "--server-args", "-screen 0 1080x760x24"]);
    let mvn = maven(&root().join("samples"));
    verify
        .arg(mvn.get_program())
        .args(mvn.get_args())
        .args(["--quiet", "verify"]);
    verify
        .arg(format!("-Dsordino.programs={}", programs.display()))
        .arg("-Dstyle.color=never");
    run(verify.args(options))?;
    print_counts()
}

/// A sound server with a virtual microphone, and a separate loudspeaker.
struct SoundDevices {
    home: tempfile::TempDir,
    _server: Running,
}

impl SoundDevices {
    fn start() -> Result<Self> {
        let home = tempfile::tempdir()?;
        fs::create_dir(home.path().join("run"))?;
        fs::write(
            home.path().join(".asoundrc"),
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n",
        )?;
        let mut server = cmd("pulseaudio");
        enter(&mut server, home.path());
        server.args([
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--log-level=error",
            "-n",
        ]);
        for module in [
            "module-null-sink sink_name=loudspeaker rate=48000",
            "module-null-sink sink_name=microphone rate=48000",
            "module-native-protocol-unix",
        ] {
            server.args(["-L", module]);
        }
        let mut server = Running(server.spawn().context("cannot run pulseaudio")?);
        let pactl = |arguments: &[&str]| {
            let mut pactl = cmd("pactl");
            enter(&mut pactl, home.path());
            pactl
                .args(arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            pactl
        };
        while !pactl(&["info"]).status()?.success() {
            if let Some(status) = server.0.try_wait()? {
                bail!("pulseaudio ended: {status}");
            }
            thread::sleep(Duration::from_millis(100));
        }
        run(&mut pactl(&["set-default-sink", "loudspeaker"]))?;
        run(&mut pactl(&["set-default-source", "microphone.monitor"]))?;
        Ok(Self {
            home,
            _server: server,
        })
    }

    fn enter(&self, command: &mut Command) {
        enter(command, self.home.path());
    }
}

fn enter(command: &mut Command, home: &Path) {
    command
        .env("HOME", home)
        .env("ETUDE_VIRTUAL_AUDIO", home)
        .env("XDG_RUNTIME_DIR", home.join("run"));
}

/// Prints the number of tests of each suite.
fn print_counts() -> Result<()> {
    let suite = Regex::new(r#"<testsuite [^>]*? name="([^"]*)"[^>]* tests="(\d+)""#)?;
    for module in fs::read_dir(root().join("samples"))? {
        let Ok(reports) = fs::read_dir(module?.path().join("target/surefire-reports")) else {
            continue;
        };
        for report in reports {
            let path = report?.path();
            if path.extension().is_none_or(|extension| extension != "xml") {
                continue;
            }
            if let Some(found) = suite.captures(&fs::read_to_string(path)?) {
                println!("{}: {} tests", &found[1], &found[2]);
            }
        }
    }
    Ok(())
}
