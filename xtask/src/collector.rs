//! Tests of the collector: its review page in a browser, its OpenAPI document, faults. Other tests start a collector from
//! here.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use regex::Regex;

use crate::{
    build,
    process::{Running, cargo, cmd, is_soak, last_word, read, root, run, target},
};

#[derive(Subcommand)]
pub enum Task {
    /// Test the review page in Chromium with a real collector, check its types, and that dist/ is built from src/
    ///
    /// CHROMIUM is the path of the browser, by default /usr/bin/chromium.
    Page {
        /// Test files, such as tests/queue.test.mjs; by default all
        files: Vec<String>,
    },
    /// Test a collector with random valid and invalid requests, generated from docs/openapi.json
    Openapi {
        /// Options for Schemathesis
        #[arg(last = true)]
        schemathesis: Vec<String>,
    },
    /// Kill two collectors, PostgreSQL and the S3 server in turn, under uploads, deletions and reads
    Faults {
        #[arg(default_value_t = 30)]
        rounds: u32,
    },
}

pub fn perform(task: Task) -> Result<()> {
    match task {
        Task::Page { files } => test_page(files),
        Task::Openapi { schemathesis } => test_openapi(&schemathesis),
        Task::Faults { rounds } => {
            let mut test = cargo();
            test.env("SORDINO_FAULT_ROUNDS", rounds.to_string());
            test.args([
                "test",
                "--quiet",
                "--test",
                "collector",
                "faults::",
                "--",
                "--nocapture",
            ]);
            run(test.arg("--test-threads=1"))
        }
    }
}

fn test_page(mut files: Vec<String>) -> Result<()> {
    let programs = build::programs()?;
    let page = root().join("tools/collector/page");
    let here = |program: &str| {
        let mut command = cmd(program);
        command
            .current_dir(&page)
            .env("SORDINO_PROGRAMS", &programs);
        command
    };
    let (lock, installed) = (
        page.join("package-lock.json"),
        page.join("node_modules/.installed"),
    );
    if fs::read(&lock)? != fs::read(&installed).unwrap_or_default() {
        run(here("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
        fs::copy(&lock, &installed)?;
    }
    let built = tempfile::tempdir()?;
    run(here("node").arg("build.mjs").arg(built.path()))?;
    let is_current = here("diff")
        .arg("-r")
        .arg(built.path())
        .arg("dist")
        .output()?
        .status
        .success();
    ensure!(
        is_current,
        "dist/ is not built from src/: run `node build.mjs` in tools/collector/page"
    );
    run(here("node").args(["node_modules/typescript/bin/tsc", "--noEmit"]))?;
    if files.is_empty() {
        for entry in fs::read_dir(page.join("tests"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".test.mjs") {
                files.push(format!("tests/{name}"));
            }
        }
        files.sort();
    }
    // Two at a time: they wait for the page, which polls every 20 s.
    run(here("node")
        .args(["--test", "--test-concurrency=2"])
        .args(files))
}

fn test_openapi(options: &[String]) -> Result<()> {
    const HERE: &str = "tools/collector/schemathesis";
    let environment = target().join("schemathesis/bin");
    let program = environment.join("schemathesis");
    ensure!(
        program.exists(),
        "Schemathesis is not installed in target/schemathesis: run `tools/setup.sh ci`"
    );
    let python = |script: &str| {
        let mut python = cmd(environment.join("python"));
        python
            .env("PYTHONPATH", HERE)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(format!("{HERE}/{script}"));
        python
    };
    let programs = build::programs()?;
    let data = tempfile::tempdir()?;
    let plan = data.path().join("plan.json");
    fs::write(&plan, read(&mut python("signing.py"))?)?;
    let collector = Collector::start(&programs, data.path(), &plan, &["--record-rate", "0"])?;
    let mut token = cmd(programs.join("sordino-collector"));
    token
        .args(["token", "create", "--name", "schemathesis", "--data"])
        .arg(data.path());
    let token = last_word(token.args(["--purpose", "quality-assurance", "recognition-research"]))?;

    // A count rather than a time, so that all machines send the same requests: some 40 s on two cores, minutes with
    // SORDINO_SOAK=1.
    let examples = if is_soak() { "1000" } else { "100" };
    let mut schemathesis = cmd(program);
    schemathesis
        .env("PYTHONPATH", HERE)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks");
    schemathesis
        .env("SORDINO_URL", &collector.url)
        .env("SORDINO_TOKEN", &token);
    schemathesis.args([
        "--no-color",
        "--config-file",
        &format!("{HERE}/schemathesis.toml"),
    ]);
    schemathesis.args([
        "run",
        "docs/openapi.json",
        "--url",
        &collector.url,
        "--checks",
        "all",
    ]);
    schemathesis.args([
        "--exclude-checks",
        "use_after_free",
        "--max-examples",
        examples,
    ]);
    run(schemathesis.arg("--generation-deterministic").args(options))?;
    let mut reached = python("reached.py");
    reached
        .env("SORDINO_URL", &collector.url)
        .env("SORDINO_TOKEN", token);
    run(reached.arg("docs/openapi.json"))?;
    // An error in the log is a defect even if the response was correct.
    let log = fs::read_to_string(data.path().join("log"))?;
    let errors: Vec<_> = log
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("panicked"))
        .collect();
    ensure!(
        errors.is_empty(),
        "the collector's log has errors:\n{}",
        errors.join("\n")
    );
    Ok(())
}

/// An organization with keys and a signed plan, in `folder`.
pub struct Organization {
    programs: PathBuf,
    folder: PathBuf,
    /// Its public key.
    pub key: String,
}

impl Organization {
    pub fn new(programs: &Path, folder: &Path) -> Result<Self> {
        let sordino = || cmd(programs.join("sordino"));
        let recipient = last_word(
            sordino()
                .args(["keygen", "--out"])
                .arg(folder.join("qa.key")),
        )?;
        let key = last_word(
            sordino()
                .args(["plan", "keygen", "--out"])
                .arg(folder.join("plan.key")),
        )?;
        let plan = fs::read_to_string(root().join("samples/plan.toml"))?;
        let plan = Regex::new("age1[a-z0-9]*")?
            .replace_all(&plan, recipient.as_str())
            .into_owned();
        fs::write(folder.join("plan.toml"), plan)?;
        let mut sign = sordino();
        sign.args(["plan", "sign"])
            .arg(folder.join("plan.toml"))
            .arg("--key")
            .arg(folder.join("plan.key"));
        run(sign
            .arg("--out")
            .arg(folder.join("plan.json"))
            .stdout(Stdio::null()))?;
        Ok(Self {
            programs: programs.to_owned(),
            folder: folder.to_owned(),
            key,
        })
    }

    /// Its signed plan.
    pub fn plan(&self) -> PathBuf {
        self.folder.join("plan.json")
    }

    pub fn serve(&self) -> Result<Collector> {
        let data = self.folder.join("collector");
        fs::create_dir(&data)?;
        Collector::start(&self.programs, &data, &self.plan(), &[])
    }
}

/// A collector on a free port. It is killed when this value is dropped.
pub struct Collector {
    pub url: String,
    data: PathBuf,
    _process: Running,
}

impl Collector {
    /// Starts a collector and waits until it is ready. Its log is `data`/log.
    fn start(programs: &Path, data: &Path, plan: &Path, options: &[&str]) -> Result<Self> {
        let mut serve = cmd(programs.join("sordino-collector"));
        serve
            .arg("serve")
            .arg("--data")
            .arg(data)
            .arg("--plan")
            .arg(plan);
        serve.args(["--listen", "127.0.0.1:0"]).args(options);
        serve
            .stdout(Stdio::piped())
            .stderr(fs::File::create(data.join("log"))?);
        let mut process = Running(serve.spawn().context("cannot run sordino-collector")?);
        let printed = process
            .0
            .stdout
            .take()
            .context("the collector has no standard output")?;
        let mut line = String::new();
        BufReader::new(printed).read_line(&mut line)?;
        let url = line.split_whitespace().last().with_context(|| {
            format!(
                "the collector did not start: {}",
                fs::read_to_string(data.join("log")).unwrap_or_default()
            )
        })?;
        Ok(Self {
            url: url.to_owned(),
            data: data.to_owned(),
            _process: process,
        })
    }

    /// Whether the collector stores a sealed sample.
    pub fn has_samples(&self) -> Result<bool> {
        has_samples(&self.data)
    }
}

fn has_samples(folder: &Path) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_sample = path.extension().is_some_and(|extension| extension == "age");
        if is_sample || (path.is_dir() && has_samples(&path)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
