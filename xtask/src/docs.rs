//! The documentation site: guides, compliance documents, benchmarks, and the API reference of each language.
//!
//! A reference that cannot be built here is listed with the missing tool; with CI=true it is a failure. Broken links and
//! pages that send requests to third parties are failures. The pages can be opened from disk, except the Swift reference,
//! which has to be served from the root of a site (`python3 -m http.server -d OUT`).

use std::{fs, path::Path};

use anyhow::{Result, bail, ensure};

use crate::process::{
    cargo, cmd, copy_folder, create_folder, empty_folder, is_ci, is_installed, run, run_logged,
    target, xtask,
};

/// A language other than Rust.
struct Binding {
    name: &'static str,
    lacks: &'static str,
    /// The front page, or one for each part.
    front_pages: &'static [&'static str],
    is_ready: fn() -> bool,
}

const BINDINGS: [Binding; 3] = [
    Binding {
        name: "kotlin",
        lacks: "Java and Maven",
        front_pages: &["sordino/index.html", "sordino-android/index.html"],
        is_ready: || is_installed("mvn"),
    },
    Binding {
        name: "swift",
        lacks: "a Swift toolchain (tools/setup.sh ci)",
        front_pages: &["documentation/sordino/index.html"],
        is_ready: || run(cmd("bindings/swift/toolchain.sh").arg("--ready")).is_ok(),
    },
    Binding {
        name: "python",
        lacks: "python3",
        front_pages: &["index.html"],
        is_ready: || is_installed("python3"),
    },
];

pub fn build(out: &Path) -> Result<()> {
    let out = &std::path::absolute(out)?;
    let environment = target().join("docs-venv/bin");
    let work = target().join("docs");
    ensure!(
        environment.join("sphinx-build").exists(),
        "Sphinx is not installed in target/docs-venv: run `tools/setup.sh docs`"
    );
    for folder in [&work, out] {
        empty_folder(folder)?;
    }
    create_folder(&work.join("source"))?;
    let api = work.join("api");
    let mut references = vec![rust_reference(&api)?];
    for binding in &BINDINGS {
        references.push(binding_reference(binding, &api)?);
    }
    let python = || cmd(environment.join("python"));
    run(python()
        .arg("docs/site/assemble.py")
        .arg(work.join("source"))
        .args(references))?;
    let mut sphinx = cmd(environment.join("sphinx-build"));
    sphinx
        .args(["-q", "-W", "--keep-going", "-j", "auto", "-d"])
        .arg(work.join("doctrees"));
    run(sphinx.arg(work.join("source")).arg(out))?;
    run(python().arg("docs/site/localize.py").arg(&api))?;
    copy_folder(&api, &out.join("api"))?;
    run(python().args(["docs/site/test_check.py", "--quiet"]))?;
    run(python().arg("docs/site/check.py").arg(out))?;
    println!("built {}", out.join("index.html").display());
    Ok(())
}

fn rust_reference(api: &Path) -> Result<String> {
    let doc = target().join("doc");
    // With the packages and features of other builds. An old folder's index would list crates that no longer exist.
    empty_folder(&doc)?;
    run(cargo()
        .env("RUSTDOCFLAGS", "-D warnings")
        .args(["doc", "--quiet", "--no-deps"]))?;
    copy_folder(&doc, &api.join("rust"))?;
    // rustdoc's help page links to index.html of the folder, which rustdoc does not write.
    let forward =
        "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url=sordino/index.html\">\n";
    fs::write(api.join("rust/index.html"), forward)?;
    Ok("rust=index.html".to_owned())
}

/// The argument of docs/site/assemble.py for one language: its front pages, or the missing tool.
fn binding_reference(binding: &Binding, api: &Path) -> Result<String> {
    let Binding {
        name,
        lacks,
        front_pages,
        ..
    } = binding;
    if !(binding.is_ready)() {
        println!("skipped: the API reference of {name} lacks {lacks}");
        if is_ci() {
            bail!("the API reference of {name} lacks {lacks}");
        }
        return Ok(format!("{name}:{lacks}"));
    }
    let out = api.join(name);
    create_folder(&out)?;
    // DocC writes the base path into its pages.
    let mut docs = xtask()?;
    docs.args([name, "docs"])
        .arg(&out)
        .env("BASE", format!("api/{name}"));
    run_logged(&mut docs, &target().join(format!("docs/{name}.log")))?;
    for page in *front_pages {
        ensure!(
            out.join(page).is_file(),
            "the API reference of {name} has no page {page}"
        );
    }
    Ok(format!("{name}={}", front_pages.join(",")))
}
