//! Output files that a person names.
//!
//! * An input of the command is never overwritten, by any name or link.
//! * An existing file is overwritten only with `--force`, if it has the same bytes, or if the command recognizes it as
//!   its own.
//! * Obstacles are found before the work begins. A file is written under a temporary name and renamed when it is
//!   complete, without replacing a file that appeared meanwhile.

mod file_id;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{error::CliError, files};
use file_id::FileId;
pub(crate) use file_id::check_distinct;

/// The maximum size of a file whose content is examined, in bytes.
const MAX_OWN_BYTES: u64 = 1 << 30;

/// `--force`.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct Overwrite {
    /// Overwrite existing files; inputs are never overwritten
    #[arg(long)]
    pub(crate) force: bool,
}

/// The inputs of a command, and whether it may overwrite other files.
pub(crate) struct OutputFiles {
    inputs: Vec<(PathBuf, FileId)>,
    force: bool,
    /// The option that names the output.
    option: &'static str,
}

/// Whether the command wrote a file with this content.
type IsOwn = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// One file to write.
pub(crate) struct OutputFile {
    path: PathBuf,
    force: bool,
    option: &'static str,
    is_private: bool,
    is_own: IsOwn,
}

/// A complete output that is not at its path yet.
pub(crate) struct StagedFile<'a> {
    output: &'a OutputFile,
    /// `None` if nothing is to be replaced: the file has these bytes, or is not a regular file.
    file: Option<tempfile::NamedTempFile>,
}

impl OutputFiles {
    /// The outputs of a command that reads `inputs`; missing inputs are ignored.
    pub(crate) fn new<'a>(
        inputs: impl IntoIterator<Item = &'a Path>,
        overwrite: Overwrite,
    ) -> Self {
        let inputs = inputs.into_iter();
        Self {
            inputs: inputs
                .filter_map(|path| Some((path.to_owned(), FileId::of(path)?)))
                .collect(),
            force: overwrite.force,
            option: "--out",
        }
    }

    /// Outputs that `option` names instead of `--out`.
    pub(crate) fn with_option(self, option: &'static str) -> Self {
        Self { option, ..self }
    }

    /// An output at `path` that only its owner can read.
    ///
    /// # Errors
    /// The file is an input, a folder or a disk, or its folder does not exist.
    pub(crate) fn private(&self, path: &Path) -> Result<OutputFile, CliError> {
        let output = OutputFile {
            path: path.to_owned(),
            force: self.force,
            option: self.option,
            is_private: true,
            is_own: Box::new(|_| false),
        };
        output.refuse_kind()?;
        let written = FileId::of(path);
        let input = self
            .inputs
            .iter()
            .find(|(_, id)| Some(id) == written.as_ref());
        let option = self.option;
        match input {
            None => Ok(output),
            Some((input, _)) if input == path => Err(CliError::content(path)(format!(
                "it is read and would be overwritten; give `{option}` another name"
            ))),
            Some((input, _)) => Err(CliError::content(path)(format!(
                "it is {}, which is read and would be overwritten; give `{option}` another name",
                input.display()
            ))),
        }
    }

    /// Like [`Self::private`], but readable by others.
    ///
    /// # Errors
    /// Those of [`Self::private`].
    pub(crate) fn public(&self, path: &Path) -> Result<OutputFile, CliError> {
        Ok(OutputFile {
            is_private: false,
            ..self.private(path)?
        })
    }
}

impl OutputFile {
    /// Replaces an existing file without `--force` if `is_own` recognizes its content.
    pub(crate) fn replace_if(self, is_own: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self {
            is_own: Box::new(is_own),
            ..self
        }
    }

    /// Checks before long work whether the file can be written.
    ///
    /// # Errors
    /// The file exists and is not to be overwritten, or the folder cannot be written to.
    pub(crate) fn checked(self) -> Result<Self, CliError> {
        if self.kind() == Kind::Stream {
            return Ok(self);
        }
        if !self.may_replace()? {
            return Err(self.exists_error());
        }
        files::temporary(&self.path).map_err(|error| self.write_error(error))?;
        Ok(self)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// The file exists and is not to be overwritten, or cannot be written.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), CliError> {
        self.stage(bytes)?.commit()
    }

    /// Writes the file under a temporary name, for several files that belong together.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    pub(crate) fn stage(&self, bytes: &[u8]) -> Result<StagedFile<'_>, CliError> {
        let nothing = StagedFile {
            output: self,
            file: None,
        };
        if self.kind() == Kind::Stream {
            let stream = fs::OpenOptions::new().write(true).open(&self.path);
            let written = stream.and_then(|mut stream| stream.write_all(bytes));
            return written
                .map(|()| nothing)
                .map_err(|error| self.write_error(error));
        }
        if self.has_content(bytes) {
            return Ok(nothing);
        }
        if !self.may_replace()? {
            return Err(self.exists_error());
        }
        let staged = files::temporary(&self.path).and_then(|mut file| {
            file.write_all(bytes)?;
            if !self.is_private {
                set_usual_mode(file.as_file())?;
            }
            Ok(file)
        });
        Ok(StagedFile {
            output: self,
            file: Some(staged.map_err(|error| self.write_error(error))?),
        })
    }

    /// Removes the file if the command made it.
    ///
    /// # Errors
    /// The command did not make the file, or it cannot be removed.
    pub(crate) fn remove(&self) -> Result<(), CliError> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(CliError::file("read", &self.path)(error)),
            Ok(bytes) if (self.is_own)(&bytes) => {
                fs::remove_file(&self.path).map_err(CliError::file("remove", &self.path))
            }
            Ok(_) => Err(CliError::content(&self.path)(
                "it is left in place although nothing safe was found, since this command did not make it",
            )),
        }
    }

    fn has_content(&self, bytes: &[u8]) -> bool {
        let length = bytes.len() as u64;
        let is_as_long = |found: fs::Metadata| found.is_file() && found.len() == length;
        fs::metadata(&self.path).is_ok_and(is_as_long)
            && fs::read(&self.path).is_ok_and(|found| found == bytes)
    }

    /// Whether the file at the path may be replaced, or there is none.
    fn may_replace(&self) -> Result<bool, CliError> {
        let found = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            found => found.map_err(|error| self.write_error(error))?,
        };
        if self.force {
            return Ok(true);
        }
        // Through a link, another file would be read than the one that is replaced.
        let is_small = found.is_file() && found.len() <= MAX_OWN_BYTES;
        Ok(is_small && fs::read(&self.path).is_ok_and(|bytes| (self.is_own)(&bytes)))
    }

    fn refuse_kind(&self) -> Result<(), CliError> {
        let refuse = |reason: &str| Err(self.write_error(io::Error::other(reason)));
        match self.kind() {
            Kind::Folder => refuse("it is a folder; name a file"),
            Kind::Device => refuse("it is a device; name a file"),
            Kind::File | Kind::Stream => Ok(()),
        }
    }

    fn kind(&self) -> Kind {
        fs::metadata(&self.path).map_or(Kind::File, |found| Kind::of(&found))
    }

    fn exists_error(&self) -> CliError {
        CliError::content(&self.path)(format!(
            "it exists, and this command cannot tell that it made it; give `{}` another name, or `--force` to overwrite \
             it",
            self.option
        ))
    }

    fn write_error(&self, error: io::Error) -> CliError {
        CliError::file("write", &self.path)(files::without_path(error))
    }
}

impl StagedFile<'_> {
    /// Moves the file to its path.
    ///
    /// # Errors
    /// Another file appeared there meanwhile, or it cannot be renamed.
    pub(crate) fn commit(self) -> Result<(), CliError> {
        let (Some(file), output) = (self.file, self.output) else {
            return Ok(());
        };
        let path = &output.path;
        let is_there = fs::symlink_metadata(path).is_ok();
        if is_there {
            if !output.may_replace()? {
                return Err(output.exists_error());
            }
            return files::persist(file, path);
        }
        match file.persist_noclobber(path) {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(output.exists_error())
            }
            // The file system supports neither hard links nor renaming without replacing.
            Err(error) if fs::symlink_metadata(path).is_err() => files::persist(error.file, path),
            Err(error) => Err(output.write_error(error.error)),
        }
    }
}

/// The kind of file at an output's path.
#[derive(PartialEq)]
enum Kind {
    /// A regular file, or nothing.
    File,
    Folder,
    /// A terminal, a pipe, `/dev/null`: written to directly.
    Stream,
    /// A disk, a socket.
    Device,
}

impl Kind {
    fn of(found: &fs::Metadata) -> Self {
        let kind = found.file_type();
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt as _;
            if kind.is_char_device() || kind.is_fifo() {
                return Self::Stream;
            }
        }
        match (kind.is_file(), kind.is_dir()) {
            (true, _) => Self::File,
            (_, true) => Self::Folder,
            _ => Self::Device,
        }
    }
}

/// Temporary files are private; outputs for others are not.
#[cfg(unix)]
fn set_usual_mode(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_mode(_: &fs::File) -> io::Result<()> {
    Ok(())
}
