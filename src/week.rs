//! ISO 8601 weeks: the finest time that leaves the device.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::ISOWeekDate, tz::Offset};
use serde::{Deserialize, Serialize};

/// A week of ISO 8601, in UTC; written `2026-W48`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week {
    year: i16,
    week: i8,
}

/// The text is not a week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid ISO week `{0}`: expected a form like 2026-W48")]
pub struct ParseWeekError(String);

impl Week {
    /// The week of `time`.
    pub fn from_timestamp(time: Timestamp) -> Self {
        let date = Offset::UTC.to_datetime(time).date().iso_week_date();
        Self {
            year: date.year(),
            week: date.week(),
        }
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.week)
    }
}

impl FromStr for Week {
    type Err = ParseWeekError;

    fn from_str(text: &str) -> Result<Self, ParseWeekError> {
        let wrong = || ParseWeekError(text.to_owned());
        let (year, week) = text.split_once("-W").ok_or_else(wrong)?;
        if year.len() != 4 || week.len() != 2 {
            return Err(wrong());
        }
        let year = year.parse().map_err(|_| wrong())?;
        let week = week.parse().map_err(|_| wrong())?;
        ISOWeekDate::new(year, week, jiff::civil::Weekday::Monday).map_err(|_| wrong())?;
        Ok(Self { year, week })
    }
}

impl Serialize for Week {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Week {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
