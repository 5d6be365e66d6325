//! The reference: what a person has decided, in as few lines as possible.

use crate::{Purposes, consent::AgeBand};

#[derive(Clone, Debug, Default)]
pub(super) struct ExpectedConsent {
    granted: Purposes,
    withdrawn: Purposes,
    /// `None` before the first consent.
    age: Option<AgeBand>,
    guardian_agrees: bool,
    came_of_age: bool,
}

impl ExpectedConsent {
    /// The purposes for which samples may be made and sent. Consent may also have expired.
    pub(super) fn allows(&self) -> Purposes {
        match self.came_of_age || (self.is_child() && !self.guardian_agrees) {
            true => Purposes::default(),
            false => self.granted.clone(),
        }
    }

    /// Consent to purposes; `was_active`: whether the earlier consent was still active. It extends that one if
    /// it answers the same question; additional purposes of a child whose guardian has agreed do not.
    pub(super) fn consents(&mut self, purposes: &Purposes, age: AgeBand, was_active: bool) {
        let grows = !purposes.is_subset(&self.granted);
        let same = was_active && self.age == Some(age) && !self.came_of_age;
        let again = purposes.intersection(&self.withdrawn).is_empty();
        match same && again && !(age.needs_guardian() && self.guardian_agrees && grows) {
            true => self.granted = self.granted.union(purposes),
            false => {
                *self = Self {
                    granted: purposes.clone(),
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

    pub(super) fn withdraws(&mut self, purposes: &Purposes) {
        self.withdrawn = self.withdrawn.union(&self.granted.intersection(purposes));
        self.granted = self.granted.difference(purposes);
    }
}
