//! The current date in UTC.

use jiff::{Timestamp, civil::Date, tz::Offset};
use sordino::Week;

/// The current week, which is the finest time that is stored.
pub(crate) fn this_week() -> Week {
    Week::from_timestamp(Timestamp::now())
}

/// The current day in UTC.
pub(crate) fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}
