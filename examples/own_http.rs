//! Uploads over the app's own HTTP client instead of the built-in one: `cargo run --example own_http FOLDER COLLECTOR`.
//!
//! On phones only the app may upload in the background (URLSession, WorkManager), so the SDK provides the next request, and
//! the app reports the result. FOLDER is that of docs/quickstart/rust.md.

#![allow(clippy::print_stdout, reason = "this program prints its results")]

use std::{collections::BTreeSet, env, error::Error, fs, path::Path};

use sordino::{
    Config, Sordino,
    upload::{Body, HttpResponse, Request, TaskStatus, UploadResult},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let usage = "usage: own_http FOLDER COLLECTOR";
    let folder = arguments.next().ok_or(usage)?;
    let collector = arguments.next().ok_or(usage)?;
    let folder = Path::new(&folder);
    let organization = fs::read_to_string(folder.join("org.pub"))?.trim().parse()?;
    let engine = Sordino::open(Config::new(
        folder.join("state"),
        organization,
        collector.parse()?,
    ))?;
    for (task, status) in upload(&engine)? {
        println!("{task}: {status:?}");
    }
    Ok(())
}

/// Sends every request that is due, and returns the status of each task.
pub fn upload(engine: &Sordino) -> Result<Vec<(String, TaskStatus)>, Box<dyn Error>> {
    let (mut tried, mut done) = (BTreeSet::new(), Vec::new());
    // `next_upload_task` waits out the delays after failures; this one tries each task once, as a person who presses
    // "Upload now" expects.
    while let Some(request) = engine.next_upload_task_now(&tried)? {
        let result = send(&request)?;
        let status = engine.process_upload_result(&request.task, result)?;
        done.push((request.task.to_string(), status));
        tried.insert(request.task);
    }
    Ok(done)
}

/// Sends the request as it is: the SDK has signed its headers.
fn send(request: &Request) -> Result<UploadResult, Box<dyn Error>> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut http = ureq::http::Request::builder()
        .method(request.method)
        .uri(&request.url);
    for (name, value) in &request.headers {
        http = http.header(name, value);
    }
    let body = match &request.body {
        Body::Empty => Vec::new(),
        Body::Bytes(bytes) => bytes.clone(),
        Body::File(path) => fs::read(path)?,
    };
    let mut response = match agent.run(http.body(body)?) {
        Ok(response) => response,
        Err(error) => return Ok(UploadResult::Unreachable(error.to_string())),
    };
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                value.to_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    Ok(UploadResult::Response(HttpResponse {
        status: response.status().as_u16(),
        headers,
        body: response.body_mut().read_to_vec()?,
    }))
}
