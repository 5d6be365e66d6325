//! No command overwrites its inputs, nor foreign files without `--force`.

use std::{collections::BTreeMap, fs, path::Path};

use crate::support::{PLAYED, QA, Stage};

/// Content that a person wrote.
const PRECIOUS: &str = "made by hand";

/// Commands with an output, and the file that it is; each has what it needs on [`stage`].
fn commands(stage: &Stage) -> Vec<(String, &'static str)> {
    let recipient = &stage.recipient;
    let own: [(&str, &str); 13] = [
        (
            "anonymize audio/flute-alone.wav --out made",
            "made/flute-alone.wav",
        ),
        (
            "anonymize audio/flute-alone.wav --out made",
            "made/flute-alone.json",
        ),
        (
            "open one.age --identity qa.key --out made",
            "made/manifest.json",
        ),
        (
            "open one.age --identity qa.key --out made",
            "made/audio.wav",
        ),
        (
            "plan sign plan.toml --key organization.key --out made/plan.json",
            "made/plan.json",
        ),
        (
            "plan refresh fresh.json --key organization.key --out made/f.json",
            "made/f.json",
        ),
        ("device d export --out made/mine.zip", "made/mine.zip"),
        (
            "device d consent --age-band adult --purpose quality-assurance --receipt made/r.json",
            "made/r.json",
        ),
        ("papers --out made", "made/dpia.md"),
        ("report data --out made/report.html", "made/report.html"),
        ("demo --recordings audio --out made", "made/report.html"),
        ("capture --out made/x.wav --seconds 600", "made/x.wav"),
        (
            "device d submit audio/flute-alone.wav --preview made/p.wav --yes",
            "made/p.wav",
        ),
    ];
    let seal = format!("seal audio/flute-alone.wav --recipient {recipient} --out made/x.age");
    let own = own.map(|(line, file)| (line.to_owned(), file));
    own.into_iter().chain([(seal, "made/x.age")]).collect()
}

/// A sealed sample, a plan that needs statements, a device with consent, a dataset without samples.
fn stage() -> Stage {
    let stage = Stage::without_collector();
    stage.sign_plan("plan", &[("paused", "false\nreview = \"required\"")]);
    stage.sign_plan("fresh", &[("version", "2\nfresh_days = 30")]);
    stage.granted("d", QA);
    stage.seal(PLAYED[0]);
    crate::support::write_dataset(&stage.path("data"), &[]);
    stage
}

#[test]
fn foreign_files_are_kept_and_found_before_the_work() {
    let stage = stage();
    for (line, file) in commands(&stage) {
        fs::create_dir_all(stage.path("made")).unwrap();
        fs::write(stage.path(file), PRECIOUS).unwrap();
        stage.sordino(&line).refused(&[file, "exists", "--force"]);
        assert_eq!(
            fs::read_to_string(stage.path(file)).unwrap(),
            PRECIOUS,
            "{line}"
        );
        let all = fs::read_dir(stage.path("made")).unwrap().count();
        assert_eq!(all, 1, "{line} wrote something else");
        fs::remove_dir_all(stage.path("made")).unwrap();
    }
}

#[test]
fn force_overwrites_existing_files() {
    let stage = stage();
    for (line, file) in commands(&stage) {
        // These take a microphone and minutes.
        if line.starts_with("capture") || line.starts_with("demo") {
            continue;
        }
        fs::create_dir_all(stage.path("made")).unwrap();
        fs::write(stage.path(file), PRECIOUS).unwrap();
        stage.sordino(&format!("{line} --force")).ok();
        assert_ne!(
            fs::read(stage.path(file)).unwrap(),
            PRECIOUS.as_bytes(),
            "{line}"
        );
        fs::remove_dir_all(stage.path("made")).unwrap();
    }
}

/// Scripts run a command again into the folder of its last run.
#[test]
fn a_command_replaces_its_own_outputs() {
    let stage = stage();
    let again = [
        "anonymize",
        "open",
        "plan sign",
        "plan refresh",
        "papers",
        "report",
        "device d submit",
    ];
    for (line, _) in commands(&stage) {
        if again.iter().any(|command| line.starts_with(command)) {
            fs::create_dir_all(stage.path("made")).unwrap();
            for _ in 0..2 {
                stage.sordino(&line).ok();
            }
            fs::remove_dir_all(stage.path("made")).unwrap();
        }
    }
}

#[test]
fn an_output_changed_by_hand_is_not_replaced() {
    let stage = stage();
    let sign = "plan sign plan.toml --key organization.key --out made/plan.json";
    for (line, file) in [
        (
            "anonymize audio/flute-alone.wav --out made",
            "made/flute-alone.wav",
        ),
        (
            "open one.age --identity qa.key --out made",
            "made/audio.wav",
        ),
        ("papers --out made", "made/dpia.md"),
        (
            "device d submit audio/flute-alone.wav --preview made/p.wav --yes",
            "made/p.wav",
        ),
        (sign, "made/plan.json"),
    ] {
        fs::create_dir_all(stage.path("made")).unwrap();
        stage.sordino(line).ok();
        let mut bytes = fs::read(stage.path(file)).unwrap();
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        fs::write(stage.path(file), &bytes).unwrap();
        stage.sordino(line).refused(&[file, "--force"]);
        assert_eq!(fs::read(stage.path(file)).unwrap(), bytes);
        fs::remove_dir_all(stage.path("made")).unwrap();
    }
    // Another organization's plan is not ours either.
    stage.sordino("plan keygen --out other.key").ok();
    stage
        .sordino("plan sign plan.toml --key other.key --out theirs.json")
        .ok();
    stage
        .sordino("plan sign plan.toml --key organization.key --out theirs.json")
        .refused(&["theirs.json", "--force"]);
}

/// Everything in the stage's folder.
fn everything(stage: &Stage) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(stage.path("")).unwrap().flatten();
    let files = files.filter(|file| file.path().is_file());
    files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect()
}

/// The input by its own name, another spelling of it, a symbolic link, a hard link.
#[test]
#[cfg(unix)]
fn inputs_are_never_overwritten_even_with_force() {
    let stage = stage();
    let flute = format!("audio/{}.wav", PLAYED[0]);
    fs::copy(stage.path(&flute), stage.path("x.wav")).unwrap();
    fs::copy(stage.path(&flute), stage.path("manifest.json")).unwrap();
    fs::write(stage.path("note.json"), "{}").unwrap();
    fs::write(stage.path("token"), "sordino_0").unwrap();
    std::os::unix::fs::symlink("x.wav", stage.path("link.wav")).unwrap();
    fs::hard_link(stage.path("x.wav"), stage.path("hard.wav")).unwrap();
    fs::hard_link(stage.path("organization.key"), stage.path("hard.key")).unwrap();
    let recipient = &stage.recipient;
    let before = everything(&stage);
    for line in [
        "anonymize x.wav --out .".to_owned(),
        "anonymize link.wav --out .".to_owned(),
        format!("seal x.wav --recipient {recipient} --out x.wav"),
        format!("seal x.wav --recipient {recipient} --out ./x.wav"),
        format!("seal x.wav --recipient {recipient} --out link.wav"),
        format!("seal x.wav --recipient {recipient} --out hard.wav"),
        "open manifest.json --identity qa.key --out .".to_owned(),
        "plan sign plan.toml --key organization.key --out organization.key".to_owned(),
        "plan sign plan.toml --key organization.key --out hard.key".to_owned(),
        "plan refresh fresh.json --key organization.key --out fresh.json".to_owned(),
        "device d submit x.wav --preview x.wav".to_owned(),
        "device d submit x.wav --annotation note.json --preview note.json".to_owned(),
        "device d export --out d/state.redb".to_owned(),
        "device d consent --purpose quality-assurance --receipt d/state.key".to_owned(),
        "report data --out data/.sordino-pull.json".to_owned(),
        "audit fetch --collector http://127.0.0.1:9 --token-file token --out token".to_owned(),
    ] {
        let force = match line.starts_with("audit") {
            true => "",
            false => " --force",
        };
        let ran = stage.sordino(&format!("{line}{force}"));
        // Something other than a sealed sample is refused for that reason.
        let says: &[&str] = match line.starts_with("open") {
            true => &["manifest.json"],
            false => &["overwritten"],
        };
        ran.refused(says);
        assert!(everything(&stage) == before, "{line}");
    }
    // In a batch, the other files are processed.
    let recording = fs::read(stage.path("x.wav")).unwrap();
    stage
        .sordino(&format!("anonymize {flute} x.wav --out . --force"))
        .failed(&["1 of 2", "overwritten"]);
    assert_eq!(fs::read(stage.path("x.wav")).unwrap(), recording);
}

/// The dataset of a demo goes with the next demo; one that was pulled does not.
#[test]
fn a_demo_never_removes_a_dataset_that_it_did_not_pull() {
    let stage = stage();
    crate::support::write_dataset(&stage.path("made/dataset"), &[]);
    stage
        .sordino("demo --recordings audio --out made")
        .refused(&["made/dataset", "--force"]);
    fs::write(
        stage.path("made/.sordino-demo.json"),
        r#"{"collector": "http://127.0.0.1:2/"}"#,
    )
    .unwrap();
    stage
        .sordino("demo --recordings audio --out made")
        .refused(&["made/dataset", "--force"]);
    assert!(stage.path("made/dataset/.sordino-pull.json").is_file());
}

#[test]
#[cfg(unix)]
fn pipes_are_written_to_and_folders_are_not_replaced() {
    let stage = stage();
    let recipient = &stage.recipient;
    let name = PLAYED[0];
    let seal = |out: &str| {
        stage.sordino(&format!(
            "seal audio/{name}.wav --recipient {recipient} --out {out}"
        ))
    };
    seal("/dev/null").ok();
    let null = fs::metadata("/dev/null").unwrap();
    assert!(std::os::unix::fs::FileTypeExt::is_char_device(
        &null.file_type()
    ));
    seal("audio").refused(&["audio", "folder"]);
}

/// Names that a file system takes for one are found before any work, on whatever file system the tests run.
#[test]
fn inputs_with_the_same_output_are_refused() {
    let stage = Stage::without_collector();
    let flute = format!("audio/{}.wav", PLAYED[0]);
    for name in ["a/x.wav", "b/x.wav", "b/X.wav"] {
        fs::create_dir_all(stage.path(name).parent().unwrap()).unwrap();
        fs::copy(stage.path(&flute), stage.path(name)).unwrap();
    }
    stage
        .sordino("anonymize a/x.wav b/x.wav --out out")
        .failed(&["a/x.wav", "b/x.wav"]);
    assert_eq!(fs::read_dir(stage.path("out")).unwrap().count(), 0);
    let ran = stage.sordino("anonymize a/x.wav b/X.wav --out out");
    match Path::new(&stage.path("B")).exists() {
        true => ran.refused(&["x.wav", "X.wav"]),
        false => drop(ran.ok()),
    }
}
