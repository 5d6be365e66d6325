//! What of a clip is kept and what is taken out: stretches that tile it, in samples at 16 kHz.

use std::{iter, ops::Range};

use super::{
    detector::RATE,
    spans::{Removal, RemovalReason, Span},
};

/// A kept stretch shorter than this is of no use to a recognizer, and half a word could hide in it:
/// 0.5 s.
pub(crate) const SHORTEST_KEPT: usize = RATE as usize / 2;

/// The stretches of a clip, in order, without gap or overlap.
pub(crate) struct Timeline {
    length: usize,
    voices: Vec<Range<usize>>,
    stretches: Vec<Stretch>,
}

struct Stretch {
    range: Range<usize>,
    /// Why it goes; `None` where it stays.
    gone: Option<RemovalReason>,
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

        let mut stretches = Vec::with_capacity(2 * voices.len() + 1);
        let mut at = 0;
        for voice in voices.iter().cloned().chain(iter::once(length..length)) {
            if at < voice.start {
                let short = voice.start - at < SHORTEST_KEPT && !voices.is_empty();
                stretches.push(Stretch {
                    range: at..voice.start,
                    gone: short.then_some(RemovalReason::Fragment),
                });
            }
            at = voice.end;
            if !voice.is_empty() {
                stretches.push(Stretch {
                    range: voice,
                    gone: Some(RemovalReason::Voice),
                });
            }
        }
        Self {
            length,
            voices,
            stretches,
        }
    }

    /// The same clip, without `more` too.
    pub(crate) fn without(&self, more: Vec<Range<usize>>) -> Self {
        Self::new(self.length, [&self.voices[..], &more].concat())
    }

    /// Samples of the clip, kept or not.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// What stays, in order.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let stays = self
            .stretches
            .iter()
            .filter(|stretch| stretch.gone.is_none());
        stays.map(|stretch| stretch.range.clone())
    }

    /// Samples that stay.
    pub(crate) fn kept_length(&self) -> usize {
        self.kept().map(|range| range.len()).sum()
    }

    /// What stays, for the manifest.
    pub(crate) fn kept_spans(&self) -> Vec<Span> {
        self.kept()
            .map(|range| Span(seconds(range.start), seconds(range.end)))
            .collect()
    }

    /// What stays of `stretches`, for the manifest.
    pub(crate) fn kept_within(&self, stretches: &[Range<usize>]) -> Vec<Span> {
        let both = |kept: Range<usize>| {
            stretches.iter().filter_map(move |stretch| {
                let (start, end) = (kept.start.max(stretch.start), kept.end.min(stretch.end));
                (start < end).then(|| Span(seconds(start), seconds(end)))
            })
        };
        self.kept().flat_map(both).collect()
    }

    /// What goes, for the manifest.
    pub(crate) fn removals(&self) -> Vec<Removal> {
        let removal = |stretch: &Stretch| {
            stretch.gone.map(|reason| Removal {
                start_s: seconds(stretch.range.start),
                end_s: seconds(stretch.range.end),
                reason,
            })
        };
        self.stretches.iter().filter_map(removal).collect()
    }

    /// Where a stretch of what is left, counted in kept samples only, stands in the clip. It comes
    /// back in pieces where something was taken out inside it.
    pub(crate) fn in_clip(&self, left: &Range<usize>) -> Vec<Range<usize>> {
        let mut before = 0;
        let mut pieces = Vec::new();
        for kept in self.kept() {
            let start = left.start.max(before);
            let end = left.end.min(before + kept.len());
            if start < end {
                pieces.push(kept.start + start - before..kept.start + end - before);
            }
            before += kept.len();
        }
        pieces
    }
}

fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(RATE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stretches_tile_the_clip_and_no_voice_is_kept(
            length in 0usize..200_000,
            voices in prop::collection::vec((0usize..220_000, 0usize..30_000), 0..12),
        ) {
            let voices: Vec<_> = voices.iter().map(|&(at, count)| at..at + count).collect();
            let timeline = Timeline::new(length, voices.clone());
            let mut at = 0;
            for stretch in &timeline.stretches {
                prop_assert_eq!(stretch.range.start, at);
                prop_assert!(stretch.range.end > at);
                at = stretch.range.end;
            }
            prop_assert_eq!(at, length);
            for kept in timeline.kept() {
                prop_assert!(kept.len() >= SHORTEST_KEPT || kept == (0..length));
                for voice in voices.iter().filter(|voice| !voice.is_empty()) {
                    prop_assert!(kept.end <= voice.start || voice.end <= kept.start);
                }
            }
        }

        #[test]
        fn what_is_left_is_found_again_in_the_clip(
            voices in prop::collection::vec((0usize..100_000, 1usize..9_000), 0..5),
            start in 0usize..100_000,
            count in 1usize..20_000,
        ) {
            let voices = voices.iter().map(|&(at, count)| at..at + count).collect();
            let timeline = Timeline::new(100_000, voices);
            let places: Vec<usize> = timeline.kept().flatten().collect();
            let wanted: Vec<usize> = places.iter().skip(start).take(count).copied().collect();
            let found: Vec<usize> =
                timeline.in_clip(&(start..start + count)).into_iter().flatten().collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
