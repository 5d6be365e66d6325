//! Runs other programs; paths of the repository.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// The root of the repository.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    let folder = env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    root().join(folder.unwrap_or_else(|| "target".into()))
}

/// Whether everything is installed, so that a skipped suite is a failure.
pub fn is_ci() -> bool {
    env::var("CI").is_ok_and(|ci| ci == "true")
}

/// Whether tests run their long versions.
pub fn is_soak() -> bool {
    env::var("SORDINO_SOAK").is_ok_and(|soak| soak == "1")
}

/// A command that runs in the root of the repository. `program` is found on the PATH or, with a slash, from the root.
pub fn cmd(program: impl AsRef<OsStr>) -> Command {
    let program = Path::new(&program);
    let is_path = program.components().count() > 1;
    let mut command = Command::new(if is_path {
        root().join(program)
    } else {
        program.to_owned()
    });
    command.current_dir(root());
    without_build_folders(&mut command);
    command
}

/// Cargo adds its build folders to the library path of programs that it runs. From there a JVM would load another
/// libsordino than the tested one.
fn without_build_folders(command: &mut Command) {
    for name in ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
        let Some(paths) = env::var_os(name) else {
            continue;
        };
        let kept = env::split_paths(&paths).filter(|path| !path.starts_with(target()));
        match env::join_paths(kept) {
            Ok(kept) if !kept.is_empty() => command.env(name, kept),
            _ => command.env_remove(name),
        };
    }
}

pub fn cargo() -> Command {
    cmd(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// This program, to run another task.
pub fn xtask() -> Result<Command> {
    Ok(cmd(env::current_exe().context("cannot find this program")?))
}

/// Maven on the project in `folder`, with `goals` and options.
pub fn maven(folder: &Path) -> Command {
    let mut maven = cmd("mvn");
    maven
        .args(["--batch-mode", "--no-transfer-progress", "-f"])
        .arg(folder.join("pom.xml"));
    maven
}

/// Runs `command`, and fails if it does.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", name(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", name(command));
    }
    Ok(())
}

/// Runs `command` and returns its standard output, without trailing white space.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", name(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}", name(command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Runs `command` with its output in the file `log`, and prints the file if it fails.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    create_folder_of(log)?;
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    run(command).inspect_err(|_| {
        eprint!("{}", fs::read_to_string(log).unwrap_or_default());
    })
}

/// The last word that `command` prints: a recipient, a public key or a token.
pub fn last_word(command: &mut Command) -> Result<String> {
    let printed = read(command)?;
    let word = printed.split_whitespace().last();
    Ok(word
        .with_context(|| format!("{} printed nothing", name(command)))?
        .to_owned())
}

/// Whether `program` is on the PATH.
pub fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A process that is killed when this value is dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

pub fn create_folder_of(file: &Path) -> Result<()> {
    file.parent().map_or(Ok(()), create_folder)
}

/// Removes a folder, if it is there, and creates it.
pub fn empty_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    create_folder(folder)
}

pub fn copy(from: &Path, to: &Path) -> Result<()> {
    create_folder_of(to)?;
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Copies a folder and all in it into the folder `to`, which it creates.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    create_folder(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let copied = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &copied)?;
        } else {
            copy(&entry.path(), &copied)?;
        }
    }
    Ok(())
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program
        .strip_prefix(root())
        .unwrap_or(program)
        .display()
        .to_string();
    let first = command
        .get_args()
        .next()
        .map(|argument| format!(" {}", argument.to_string_lossy()));
    program + &first.unwrap_or_default()
}
