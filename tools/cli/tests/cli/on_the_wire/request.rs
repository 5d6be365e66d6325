//! Requests as they passed on the line, read by a parser that is not ours.

use serde_json::Value;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case, in the order in which they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The requests in the recorded bytes.
pub(crate) fn requests(mut bytes: &[u8]) -> Vec<Sent> {
    let mut requests = Vec::new();
    while !bytes.is_empty() {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let head = match request.parse(bytes).expect("HTTP") {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => panic!("a request is cut off"),
        };
        let headers: Vec<(String, String)> = request
            .headers
            .iter()
            .map(|header| {
                let value = std::str::from_utf8(header.value).expect("text");
                (header.name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        let length = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .map_or(0, |(_, length)| length.parse().expect("a length"));
        requests.push(Sent {
            method: request.method.expect("a method").to_owned(),
            path: request.path.expect("a path").to_owned(),
            headers,
            body: bytes[head..head + length].to_vec(),
        });
        bytes = &bytes[head + length..];
    }
    requests
}

/// Changes, for tests of the check.
impl Sent {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        &found.expect("the header").1
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let found = self.headers.iter_mut().find(|(header, _)| header == name);
        found.expect("the header").1 = value.to_owned();
    }

    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut json = serde_json::from_slice(&self.body).expect("JSON");
        change(&mut json);
        self.body = json.to_string().into_bytes();
    }
}
