//! The plan's daily budget, which persists across restarts.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    plan::Plan,
    state::{State, StateError, WriteTxn},
};

const NAME: &str = "budget";

/// The usage of the latest day with any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DailyUsage {
    day: Date,
    samples: u32,
    bytes: u64,
}

/// Why a sample could not be charged to the budget.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BudgetError {
    /// Today's samples or bytes are spent.
    #[error("today's budget is spent")]
    Exhausted,
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Whether another sample, of unknown size, fits into the budget of today.
pub(crate) fn has_budget(state: &State, plan: &Plan) -> Result<bool, StateError> {
    let today = state.today();
    let usage = usage_on(today, state.value(NAME)?);
    Ok(usage.samples < plan.samples_per_day && usage.bytes < plan.bytes_per_day)
}

/// Charges one sample of `bytes` to `today`, in the transaction that queues it.
pub(crate) fn charge(
    txn: &WriteTxn<'_>,
    today: Date,
    plan: &Plan,
    bytes: u64,
) -> Result<(), BudgetError> {
    let usage = usage_on(today, txn.value(NAME)?);
    let after = DailyUsage {
        day: today,
        samples: usage.samples.saturating_add(1),
        bytes: usage.bytes.saturating_add(bytes),
    };
    if after.samples > plan.samples_per_day || after.bytes > plan.bytes_per_day {
        return Err(BudgetError::Exhausted);
    }
    txn.set_value(NAME, &after)?;
    Ok(())
}

fn usage_on(today: Date, latest: Option<DailyUsage>) -> DailyUsage {
    match latest {
        Some(usage) if usage.day >= today => usage,
        _ => DailyUsage {
            day: today,
            samples: 0,
            bytes: 0,
        },
    }
}
