//! The timeline of a clip: kept and removed regions that tile it, in samples at 16 kHz.

use std::{iter, ops::Range};

use crate::{
    sample_rate::SAMPLE_RATE,
    spans::{Removal, RemovalReason, Span},
};

/// The minimum length of a kept region between two removed ones, in samples: 0.5 s. A shorter one is useless to a
/// recognizer, and half a word could hide in it.
pub(crate) const MIN_KEPT: usize = SAMPLE_RATE as usize / 2;

/// The regions of a clip, in order, without gap or overlap.
pub(crate) struct Timeline {
    length: usize,
    voices: Vec<Range<usize>>,
    regions: Vec<Region>,
}

struct Region {
    range: Range<usize>,
    /// Why it is removed; `None` if it is kept.
    removed: Option<RemovalReason>,
}

impl Timeline {
    /// A clip of `length` samples without `voices`, which may come in any order and overlap.
    pub(crate) fn new(length: usize, mut voices: Vec<Range<usize>>) -> Self {
        voices
            .iter_mut()
            .for_each(|voice| voice.end = voice.end.min(length));
        voices.retain(|voice| voice.start < voice.end);
        voices.sort_unstable_by_key(|voice| voice.start);
        voices.dedup_by(|next, last| {
            let touches = next.start <= last.end;
            if touches {
                last.end = last.end.max(next.end);
            }
            touches
        });

        let mut regions = Vec::with_capacity(2 * voices.len() + 1);
        let mut at = 0;
        for voice in voices.iter().cloned().chain(iter::once(length..length)) {
            if at < voice.start {
                let is_fragment = voice.start - at < MIN_KEPT && !voices.is_empty();
                regions.push(Region {
                    range: at..voice.start,
                    removed: is_fragment.then_some(RemovalReason::Fragment),
                });
            }
            at = voice.end;
            if !voice.is_empty() {
                regions.push(Region {
                    range: voice,
                    removed: Some(RemovalReason::Voice),
                });
            }
        }
        Self {
            length,
            voices,
            regions,
        }
    }

    /// The same clip with `voices` removed as well.
    pub(crate) fn with_removed(&self, voices: Vec<Range<usize>>) -> Self {
        Self::new(self.length, [&self.voices[..], &voices].concat())
    }

    /// The length of the clip, in samples.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The kept ranges, in order.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let kept = self
            .regions
            .iter()
            .filter(|region| region.removed.is_none());
        kept.map(|region| region.range.clone())
    }

    /// The number of kept samples.
    pub(crate) fn kept_length(&self) -> usize {
        self.kept().map(|range| range.len()).sum()
    }

    /// The kept regions, for the manifest.
    pub(crate) fn kept_spans(&self) -> Vec<Span> {
        self.kept()
            .map(|range| Span(seconds(range.start), seconds(range.end)))
            .collect()
    }

    /// The kept parts of `ranges`, for the manifest.
    pub(crate) fn kept_within(&self, ranges: &[Range<usize>]) -> Vec<Span> {
        let intersections = |kept: Range<usize>| {
            ranges.iter().filter_map(move |range| {
                let (start, end) = (kept.start.max(range.start), kept.end.min(range.end));
                (start < end).then(|| Span(seconds(start), seconds(end)))
            })
        };
        self.kept().flat_map(intersections).collect()
    }

    /// The removed regions, for the manifest.
    pub(crate) fn removals(&self) -> Vec<Removal> {
        let removal = |region: &Region| {
            region.removed.map(|reason| Removal {
                start_s: seconds(region.range.start),
                end_s: seconds(region.range.end),
                reason,
            })
        };
        self.regions.iter().filter_map(removal).collect()
    }

    /// Maps a range of the joined kept samples to ranges of the clip: several if something was removed inside it.
    pub(crate) fn to_clip_ranges(&self, joined: &Range<usize>) -> Vec<Range<usize>> {
        let mut before = 0;
        let mut ranges = Vec::new();
        for kept in self.kept() {
            let start = joined.start.max(before);
            let end = joined.end.min(before + kept.len());
            if start < end {
                ranges.push(kept.start + start - before..kept.start + end - before);
            }
            before += kept.len();
        }
        ranges
    }
}

fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn regions_tile_the_clip_and_no_voice_is_kept(
            length in 0usize..200_000,
            voices in prop::collection::vec((0usize..220_000, 0usize..30_000), 0..12),
        ) {
            let voices: Vec<_> = voices.iter().map(|&(at, count)| at..at + count).collect();
            let timeline = Timeline::new(length, voices.clone());
            let mut at = 0;
            for region in &timeline.regions {
                prop_assert_eq!(region.range.start, at);
                prop_assert!(region.range.end > at);
                at = region.range.end;
            }
            prop_assert_eq!(at, length);
            for kept in timeline.kept() {
                prop_assert!(kept.len() >= MIN_KEPT || kept == (0..length));
                for voice in voices.iter().filter(|voice| !voice.is_empty()) {
                    prop_assert!(kept.end <= voice.start || voice.end <= kept.start);
                }
            }
        }

        #[test]
        fn joined_ranges_map_back_to_the_clip(
            voices in prop::collection::vec((0usize..100_000, 1usize..9_000), 0..5),
            start in 0usize..100_000,
            count in 1usize..20_000,
        ) {
            let voices = voices.iter().map(|&(at, count)| at..at + count).collect();
            let timeline = Timeline::new(100_000, voices);
            let positions: Vec<usize> = timeline.kept().flatten().collect();
            let wanted: Vec<usize> = positions.iter().skip(start).take(count).copied().collect();
            let mapped: Vec<usize> =
                timeline.to_clip_ranges(&(start..start + count)).into_iter().flatten().collect();
            prop_assert_eq!(mapped, wanted);
        }
    }
}
