//! Problem documents (RFC 9457).

use super::Answer;

/// What the collector said, in a line (RFC 9457).
pub(super) fn problem(answer: &Answer) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        #[serde(default)]
        title: String,
        #[serde(default)]
        detail: String,
    }
    let said = serde_json::from_slice::<Problem>(&answer.body)
        .map(|problem| {
            if problem.detail.is_empty() {
                problem.title
            } else {
                problem.detail
            }
        })
        .unwrap_or_default();
    let said: String = said
        .chars()
        .filter(|letter| !letter.is_control())
        .take(300)
        .collect();
    match said.is_empty() {
        true => format!("the collector answered with status {}", answer.status),
        false => format!("{said} (status {})", answer.status),
    }
}
