//! UniFFI's generator, in the version that the library is built with.
//!
//! It reads all settings from the configuration file and does not call Cargo, so that it needs neither Cargo nor a network
//! when it runs.

use std::{env, process::ExitCode};

use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some(options) = options(&arguments) else {
        eprintln!("usage: sordino-bindgen python|kotlin|swift CONFIG LIBRARY OUT");
        return ExitCode::from(2);
    };
    match generate(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sordino-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &[String]) -> Option<GenerateOptions> {
    let [language, config, library, out] = arguments else {
        return None;
    };
    let language = match language.as_str() {
        "python" => TargetLanguage::Python,
        "kotlin" => TargetLanguage::Kotlin,
        "swift" => TargetLanguage::Swift,
        _ => return None,
    };
    Some(GenerateOptions {
        languages: vec![language],
        source: library.into(),
        out_dir: out.into(),
        config_override: Some(config.into()),
        ..GenerateOptions::default()
    })
}
