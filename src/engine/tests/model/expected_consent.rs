//! The reference: what a person has decided, in as few lines as possible.

use crate::{Purposes, consent::AgeBand};

#[derive(Clone, Debug, Default)]
pub(super) struct ExpectedConsent {
    yes: Purposes,
    taken_back: Purposes,
    /// `None` before anything was said.
    age: Option<AgeBand>,
    guardian_agrees: bool,
    came_of_age: bool,
}

impl ExpectedConsent {
    /// What may be sampled, sealed and sent. Consent may also have expired.
    pub(super) fn allows(&self) -> Purposes {
        match self.came_of_age || (self.is_child() && !self.guardian_agrees) {
            true => Purposes::default(),
            false => self.yes.clone(),
        }
    }

    /// Consent to purposes; `stood` is whether the one before still stood. It grows the one before where
    /// that is an answer to the same question; more for a child whose guardian has agreed is not.
    pub(super) fn says(&mut self, purposes: &Purposes, age: AgeBand, stood: bool) {
        let grows = !purposes.is_subset(&self.yes);
        let same = stood && self.age == Some(age) && !self.came_of_age;
        let again = purposes.intersection(&self.taken_back).is_empty();
        match same && again && !(age.needs_guardian() && self.guardian_agrees && grows) {
            true => self.yes = self.yes.union(purposes),
            false => {
                *self = Self {
                    yes: purposes.clone(),
                    age: Some(age),
                    ..Self::default()
                }
            }
        }
    }

    fn is_child(&self) -> bool {
        self.age.is_some_and(AgeBand::needs_guardian)
    }

    pub(super) fn guardian_agrees(&mut self) {
        self.guardian_agrees = true;
    }

    pub(super) fn comes_of_age(&mut self) {
        self.came_of_age = true;
    }

    pub(super) fn says_no(&mut self, purposes: &Purposes) {
        self.taken_back = self.taken_back.union(&self.yes.intersection(purposes));
        self.yes = self.yes.difference(purposes);
    }
}
