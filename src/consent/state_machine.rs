//! The states of consent and the transitions between them.
//!
//! The table in docs/consent.md mirrors this module; a test compares them.

use std::fmt;

use serde::Serialize;

/// The state of consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentState {
    /// The person has not been asked or has not answered.
    None,
    /// A child has consented; the guardian has not approved yet.
    AwaitingGuardian,
    /// Consent is valid.
    Granted,
    /// The question has changed since: another notice, or the child came of age. The person must be
    /// asked again.
    Outdated,
    /// Consent has expired; the person must be asked again.
    Expired,
    /// The person has withdrawn consent.
    Withdrawn,
}

/// An event that can change consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Consent that is complete: an adult's, or a child's with the guardian's approval.
    Give,
    /// Consent of a child or a person of unknown age, without the guardian's approval.
    AskGuardian,
    /// The guardian's approval of the child's consent.
    Approve,
    /// Consent to an additional purpose, under the same notice.
    Extend,
    /// Withdrawal of some of the purposes.
    Narrow,
    /// Withdrawal of all remaining purposes.
    Withdraw,
    /// The term of consent ends.
    Expire,
    /// The plan names a higher notice version than the person consented to.
    Outdate,
    /// The child has come of age and decides alone.
    ComeOfAge,
}

/// A transition that is not allowed from a state, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("consent is {from}, so {transition} is not possible: {why}")]
pub struct TransitionError {
    /// The state.
    pub from: ConsentState,
    /// The transition that was refused.
    pub transition: Transition,
    /// The reason, and what to do.
    pub why: &'static str,
}

impl ConsentState {
    /// All variants.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::AwaitingGuardian,
        Self::Granted,
        Self::Outdated,
        Self::Expired,
        Self::Withdrawn,
    ];

    /// The state after `transition`. Withdrawal and new consent are allowed in every state.
    ///
    /// # Errors
    /// The transition is not allowed from this state.
    pub fn after(self, transition: Transition) -> Result<Self, TransitionError> {
        use ConsentState as State;
        let refused = |why| {
            Err(TransitionError {
                from: self,
                transition,
                why,
            })
        };
        match (transition, self) {
            (Transition::Give, _) => Ok(State::Granted),
            (Transition::AskGuardian, _) => Ok(State::AwaitingGuardian),

            (Transition::Approve, State::AwaitingGuardian) => Ok(State::Granted),
            (Transition::Approve, State::None) => {
                refused("nobody has consented; ask the child first")
            }
            (Transition::Approve, State::Granted) => refused("no child's consent awaits approval"),
            (Transition::Approve, State::Outdated) => {
                refused("the question has changed; ask the child again")
            }
            (Transition::Approve, State::Expired) => {
                refused("consent has expired; ask the child again")
            }
            (Transition::Approve, State::Withdrawn) => {
                refused("consent was withdrawn; ask the child again")
            }

            (Transition::Extend, State::AwaitingGuardian | State::Granted) => Ok(self),
            (Transition::Extend, _) => refused("there is no valid consent to extend; ask again"),

            (Transition::Narrow, _) | (Transition::Withdraw, State::None) => Ok(self),
            (Transition::Withdraw, _) => Ok(State::Withdrawn),

            (Transition::Expire, State::AwaitingGuardian | State::Granted | State::Outdated) => {
                Ok(State::Expired)
            }
            (Transition::Expire, _) => refused("there is no consent that could expire"),

            (Transition::Outdate, State::AwaitingGuardian | State::Granted) => Ok(State::Outdated),
            (Transition::Outdate, _) => {
                refused("there is no consent that a new notice could outdate")
            }

            (Transition::ComeOfAge, State::AwaitingGuardian | State::Granted) => {
                Ok(State::Outdated)
            }
            (Transition::ComeOfAge, _) => {
                refused("there is no valid consent of a child; ask as an adult")
            }
        }
    }
}

impl Transition {
    /// All variants.
    pub const ALL: [Self; 9] = [
        Self::Give,
        Self::AskGuardian,
        Self::Approve,
        Self::Extend,
        Self::Narrow,
        Self::Withdraw,
        Self::Expire,
        Self::Outdate,
        Self::ComeOfAge,
    ];
}

impl fmt::Display for ConsentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::AwaitingGuardian => "awaiting-guardian",
            Self::Granted => "granted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Outdated => "outdated",
        })
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Give => "consent",
            Self::AskGuardian => "consent of a child",
            Self::Approve => "a guardian's approval",
            Self::Extend => "an additional purpose",
            Self::Narrow => "a partial withdrawal",
            Self::Withdraw => "a full withdrawal",
            Self::Expire => "expiry",
            Self::Outdate => "a new notice",
            Self::ComeOfAge => "coming of age",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withdrawal_and_new_consent_are_allowed_in_every_state() {
        for state in ConsentState::ALL {
            for always in [
                Transition::Give,
                Transition::AskGuardian,
                Transition::Narrow,
                Transition::Withdraw,
            ] {
                assert!(state.after(always).is_ok(), "{state}, {always}");
            }
        }
    }

    #[test]
    fn only_consent_leads_to_granted() {
        for state in ConsentState::ALL {
            for transition in Transition::ALL {
                let Ok(after) = state.after(transition) else {
                    continue;
                };
                let is_yes = matches!(transition, Transition::Give | Transition::Approve);
                let stands = after == ConsentState::Granted;
                assert!(!stands || is_yes || state == after, "{state}, {transition}");
            }
        }
    }

    /// One row a transition, one column a state; a refusal is a dash.
    #[test]
    fn the_table_in_the_docs_matches() {
        let docs = include_str!("../../docs/consent.md");
        let states = ConsentState::ALL
            .map(|state| format!("`{state}`"))
            .join(" | ");
        let mut table = format!("| | {states} |\n| --- | --- | --- | --- | --- | --- | --- |\n");
        for transition in Transition::ALL {
            let after = ConsentState::ALL.map(|state| match state.after(transition) {
                Ok(after) => format!("`{after}`"),
                Err(_) => "–".to_owned(),
            });
            table += &format!("| {transition} | {} |\n", after.join(" | "));
        }
        assert!(docs.contains(&table), "docs/consent.md lacks\n{table}");
    }
}
