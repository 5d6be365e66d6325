//! A note as a recognizer prints it, before its pitch and times are checked.

use clap::ValueEnum;
use sordino_scoring::TimedNote;

/// The latest time, in seconds, as in annotations.
const MAX_TIME: f64 = 3_600.0;
/// The highest frequency, in Hz: the limit of hearing.
const MAX_HZ: f64 = 20_000.0;
/// The MIDI note number of 440 Hz.
const MIDI_OF_440_HZ: f64 = 69.0;

/// The unit of a pitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pitch {
    /// MIDI note numbers, 0 to 127; fractions are allowed
    Midi,
    /// Frequencies in Hz
    Hz,
}

/// A note as it was printed.
#[derive(Clone, Copy)]
pub(super) struct RawNote {
    pub(super) value: f64,
    /// `None` if the output does not state it.
    pub(super) pitch: Option<Pitch>,
    pub(super) onset: f64,
    pub(super) offset: Option<f64>,
}

impl RawNote {
    /// Converts the note, with the unit `fallback` if its pitch has none.
    pub(super) fn checked(&self, fallback: Pitch) -> Result<TimedNote, &'static str> {
        let time = |time: f64| (0.0..=MAX_TIME).contains(&time);
        let midi = match self.pitch.unwrap_or(fallback) {
            Pitch::Midi => self.value,
            Pitch::Hz if self.value > 0.0 && self.value <= MAX_HZ => {
                MIDI_OF_440_HZ + 12.0 * (self.value / 440.0).log2()
            }
            Pitch::Hz => return Err("a frequency that is not above 0 and at most 20000 Hz"),
        };
        if !(0.0..=127.0).contains(&midi) {
            return Err(match self.pitch.unwrap_or(fallback) {
                Pitch::Midi if self.pitch.is_none() => {
                    "a `midi` that is not 0 to 127; for frequencies in Hz give --pitch hz"
                }
                Pitch::Midi => "a `midi` that is not 0 to 127",
                Pitch::Hz => "a frequency outside 8.2 to 12544 Hz, those of MIDI note numbers",
            });
        }
        if !time(self.onset) {
            return Err("an `onset` that is not 0 to 3600 seconds");
        }
        let is_after = |offset: f64| time(offset) && offset >= self.onset;
        if !self.offset.is_none_or(is_after) {
            return Err("an `offset` that is before its `onset` or after 3600 seconds");
        }
        Ok(TimedNote {
            midi,
            onset: self.onset,
            offset: self.offset.filter(|&offset| offset > self.onset),
        })
    }
}
