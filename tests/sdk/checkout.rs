//! A checkout holds the same bytes whatever git is configured to do with line endings: migrations, the review page, test vectors and
//! signed examples are known by their digests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[test]
fn a_checkout_with_autocrlf_is_the_same_to_the_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(".git").exists() {
        eprintln!("skipped: {} is not a git repository", root.display());
        return;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [plain, converted] = ["false", "true"].map(|autocrlf| {
        let path = folder.path().join(autocrlf);
        let cloned = Command::new("git")
            .args(["clone", "--quiet", "--depth", "1", "-c"])
            .arg(format!("core.autocrlf={autocrlf}"))
            .arg(format!("file://{}", root.display()))
            .arg(&path)
            .status()
            .unwrap();
        assert!(cloned.success());
        fs::remove_dir_all(path.join(".git")).unwrap();
        files(&path)
    });
    assert!(plain.len() > 500, "only {} files", plain.len());
    let differs = |path: &&PathBuf| converted.get(*path) != plain.get(*path);
    let changed: Vec<_> = plain.keys().filter(differs).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

/// The content of every file in `folder`, by its path there.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder_or_file) = open.pop() {
        if folder_or_file.is_dir() {
            let entries = fs::read_dir(&folder_or_file).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else if let Ok(content) = fs::read(&folder_or_file) {
            let path = folder_or_file.strip_prefix(folder).unwrap().to_owned();
            found.insert(path, content);
        }
    }
    found
}
