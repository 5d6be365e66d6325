//! The installed plan, and whether it is fresh.

use std::sync::PoisonError;

use super::{Event, Inner, Sordino};
use crate::{
    Error,
    plan::{Freshness, Plan, PlanError, SignedPlan, freshness::Newest},
    signed::PublicKey,
    state::{State, StateError, WriteTxn},
    upload::UploadError,
};

pub(super) const PLAN: &str = "plan";
/// The newest freshness statement of the plan.
pub(super) const FRESHNESS: &str = "plan-freshness";

impl Sordino {
    /// Installs a plan. A plan with [`Plan::fresh_days`] is fresh for that many days after it was
    /// signed, and longer as long as the collector passes on newer statements of the organization.
    ///
    /// # Errors
    /// The plan is not signed by the organization, out of bounds, expired, or older than the
    /// installed plan.
    pub fn install_plan(&self, json: &[u8]) -> Result<(), Error> {
        Ok(self.inner()?.install_plan(json)?)
    }

    /// The installed plan, whether or not it has expired.
    pub fn plan(&self) -> Option<Plan> {
        self.inner().ok()?.plan()
    }
}

impl Inner {
    pub(super) fn plan(&self) -> Option<Plan> {
        let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner);
        plan.as_ref().map(|signed| signed.content().clone())
    }

    pub(super) fn signed_plan(&self) -> Option<SignedPlan> {
        let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner);
        plan.clone()
    }

    pub(super) fn install_plan(&self, json: &[u8]) -> Result<(), UploadError> {
        let offered = Plan::verify(json, &self.organization)?;
        offered
            .content()
            .check_in_force(self.state.monotonic_time())?;
        let mut in_force = self.plan.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(in_force) = in_force.as_ref() {
            let (offered, in_force) = (offered.content(), in_force.content());
            if offered.version < in_force.version {
                let (offered, in_force) = (offered.version, in_force.version);
                return Err(PlanError::Older { offered, in_force }.into());
            }
            if offered.version == in_force.version && offered != in_force {
                return Err(PlanError::SameVersion(offered.version).into());
            }
        }
        let version = offered.content().version;
        let as_signed = offered.content().freshness_as_signed();
        self.keep_newer(as_signed, |txn| txn.set_value(PLAN, &offered.to_json()))?;
        *in_force = Some(offered);
        drop(in_force);
        self.bump_epoch();
        self.emit(&Event::Plan(version));
        Ok(())
    }

    /// Accepts the organization's statement of which plan is the newest, if the installed plan
    /// requires one.
    pub(super) fn accept_freshness(&self, header: &str) -> Result<(), UploadError> {
        if self.plan().is_none_or(|plan| plan.fresh_days.is_none()) {
            return Ok(());
        }
        let statement =
            Freshness::from_header(header, &self.organization).map_err(PlanError::from)?;
        if self.keep_newer(Some(*statement.content()), |_| Ok(()))? {
            self.bump_epoch();
        }
        Ok(())
    }

    /// Stores `statement` if it is newer than the current one, in one transaction with `also`.
    /// Returns whether it is newer.
    fn keep_newer(
        &self,
        statement: Option<Freshness>,
        also: impl FnOnce(&WriteTxn<'_>) -> Result<(), StateError>,
    ) -> Result<bool, StateError> {
        let mut held = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let today = self.state.today();
        let newer = statement
            .and_then(|statement| Newest::after(*held, statement, self.organization, today));
        self.state.write(|txn| {
            if let Some(newer) = &newer {
                txn.set_value(FRESHNESS, newer)?;
            }
            also(txn)
        })?;
        *held = newer.or(*held);
        Ok(newer.is_some())
    }

    /// Whether `plan` is fresh or does not have to be.
    pub(super) fn is_fresh(&self, plan: &Plan) -> bool {
        if plan.fresh_days.is_none() {
            return true;
        }
        // A plan that is not fresh now must not become fresh after a restart with the clock set
        // back.
        self.state.persist_time();
        let newest = *self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        plan.is_fresh(newest.as_ref(), &self.organization, self.state.today())
    }
}

/// The plan that was installed last, unless it is not signed by `organization`.
pub(super) fn installed_plan(
    state: &State,
    organization: &PublicKey,
) -> Result<Option<SignedPlan>, StateError> {
    let json: Option<String> = state.value(PLAN)?;
    Ok(json.and_then(|json| Plan::verify(json.as_bytes(), organization).ok()))
}
