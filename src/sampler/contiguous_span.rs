//! A contiguous span of the stream: its buffer, the current window of random sampling, and its marked moments.

use sordino_dsp::INPUT_RATES;

use super::{
    annotation::Annotation,
    clip::{RawClip, Selection, Trigger},
    draw::Draw,
    mark::{MarkError, MarkOutcome},
    moment::{Moment, Notes},
    ring_buffer::RingBuffer,
    settings::SamplerSettings,
};
use crate::capture::Frame;

/// The minimum length of a clip, in seconds: the plan's minimum of `clip_seconds`.
const MIN_CLIP_SECONDS: u64 = 2;
/// The longest delay of a mark that still gets its whole clip, in seconds.
const MAX_MARK_DELAY_SECONDS: u64 = 2;
/// The longest time by which a mark may be ahead of the sampler's frames, in seconds: the app's recognizer may get them first.
const MAX_MARK_LEAD_SECONDS: u64 = 1;

pub(super) struct ContiguousSpan {
    settings: SamplerSettings,
    rate: u32,
    buffer: RingBuffer,
    window: Window,
    /// The marked moments whose clips are at least partly buffered; few, since none is within the clip of another.
    marked: Vec<MarkedMoment>,
    /// Selected marked moments with too little audio for a clip.
    too_short: usize,
}

/// The current window of random sampling.
struct Window {
    start: u64,
    is_selected: bool,
}

/// A marked moment, which was drawn at its first mark.
struct MarkedMoment {
    start: u64,
    end: u64,
    /// `None` if it was not selected, or its clip is complete.
    notes: Option<Notes>,
}

impl ContiguousSpan {
    /// A span that starts at `frame`, which is not pushed yet. `None` if its sample rate is not supported.
    pub(super) fn new(
        settings: SamplerSettings,
        frame: &Frame<'_>,
        draw: &mut Draw,
    ) -> Option<Self> {
        if !INPUT_RATES.contains(&frame.rate) {
            return None;
        }
        let seconds = u64::from(settings.clip_seconds) + MAX_MARK_DELAY_SECONDS;
        let capacity = (seconds * u64::from(frame.rate)) as usize;
        Some(Self {
            settings,
            rate: frame.rate,
            buffer: RingBuffer::new(capacity, frame.position),
            window: Window::draw(frame.position, settings, draw),
            marked: Vec::new(),
            too_short: 0,
        })
    }

    /// Whether `frame` follows the buffered samples without a gap.
    pub(super) fn is_contiguous(&self, frame: &Frame<'_>) -> bool {
        frame.lost == 0 && frame.rate == self.rate && frame.position == self.buffer.end()
    }

    /// Buffers samples; clips that they complete are added to `complete`.
    pub(super) fn push(&mut self, samples: &[f32], draw: &mut Draw, complete: &mut Vec<RawClip>) {
        let mut rest = samples;
        loop {
            self.cut_due_clips(complete);
            let window_end = self.window_end();
            if self.buffer.end() >= window_end && !rest.is_empty() {
                self.window = Window::draw(window_end, self.settings, draw);
                continue;
            }
            if rest.is_empty() {
                return;
            }
            let (now, later) = rest.split_at(rest.len().min(self.until_next_cut()));
            self.buffer.push(now);
            rest = later;
        }
    }

    /// Marks a moment; see [`Sampler::mark`](super::Sampler::mark).
    pub(super) fn mark(
        &mut self,
        moment: Moment,
        draw: &mut Draw,
    ) -> Result<MarkOutcome, MarkError> {
        let (oldest, newest) = (self.buffer.oldest(), self.buffer.end());
        let at = moment.at.unwrap_or(newest);
        if at < oldest || at > newest.saturating_add(self.samples(MAX_MARK_LEAD_SECONDS)) {
            return Err(MarkError::NotBuffered { at, oldest, newest });
        }
        let rate = f64::from(self.rate);
        let contains_mark =
            |earlier: &&mut MarkedMoment| (earlier.start..=earlier.end).contains(&at);
        if let Some(earlier) = self.marked.iter_mut().find(contains_mark) {
            let Some(notes) = &mut earlier.notes else {
                return Ok(MarkOutcome::Skipped);
            };
            notes.add(moment, (at - earlier.start) as f64 / rate)?;
            return Ok(MarkOutcome::Merged);
        }
        let pre_roll = self.samples(u64::from(self.settings.pre_roll_seconds));
        let start = at.saturating_sub(pre_roll).max(oldest);
        let is_selected = draw()? < self.settings.mark_probability;
        let notes = if is_selected {
            let mut notes = Notes::default();
            notes.add(moment, (at - start) as f64 / rate)?;
            Some(notes)
        } else {
            None
        };
        self.marked.push(MarkedMoment {
            start,
            end: at + self.clip_samples() - pre_roll,
            notes,
        });
        Ok(if is_selected {
            MarkOutcome::Selected
        } else {
            MarkOutcome::Skipped
        })
    }

    /// Ends the span and its incomplete clips. Returns the clips and the number of selected moments with too little
    /// audio.
    pub(super) fn end(mut self) -> (Vec<RawClip>, usize) {
        let end = self.buffer.end();
        let mut clips = Vec::from_iter(self.cut_window(end));
        for mut moment in std::mem::take(&mut self.marked) {
            clips.extend(self.cut_marked(&mut moment));
        }
        (clips, self.too_short)
    }

    /// Drops the span and its incomplete clips. Returns the number of selected moments without a clip.
    pub(super) fn abandon(self) -> usize {
        let is_incomplete = |moment: &&MarkedMoment| moment.notes.is_some();
        self.too_short + self.marked.iter().filter(is_incomplete).count()
    }

    /// The number of selected moments with too little audio since the last call.
    pub(super) fn take_too_short(&mut self) -> usize {
        std::mem::take(&mut self.too_short)
    }

    /// Cuts the clips that are complete, and forgets the moments that are no longer buffered.
    fn cut_due_clips(&mut self, complete: &mut Vec<RawClip>) {
        let (oldest, end) = (self.buffer.oldest(), self.buffer.end());
        let window_end = self.window_end();
        if end >= window_end {
            complete.extend(self.cut_window(window_end));
        }
        let mut marked = std::mem::take(&mut self.marked);
        for moment in marked.iter_mut().filter(|moment| end >= moment.end) {
            complete.extend(self.cut_marked(moment));
        }
        marked.retain(|moment| moment.end >= oldest);
        self.marked = marked;
    }

    /// The number of samples until the next clip ends, when all of it is still buffered.
    fn until_next_cut(&self) -> usize {
        let ends = self.marked.iter().map(|moment| moment.end);
        let samples = ends
            .chain([self.window_end()])
            .filter_map(|end| end.checked_sub(self.buffer.end()))
            .filter(|samples| *samples > 0)
            .min();
        samples.map_or(usize::MAX, |samples| samples as usize)
    }

    fn cut_window(&mut self, end: u64) -> Option<RawClip> {
        if !std::mem::take(&mut self.window.is_selected) {
            return None;
        }
        let selection = Selection {
            trigger: Trigger::Random,
            probability: self.settings.random_probability,
        };
        self.cut(self.window.start, end, selection, |_| Annotation::default())
    }

    fn cut_marked(&mut self, moment: &mut MarkedMoment) -> Option<RawClip> {
        let notes = moment.notes.take()?;
        let end = self.buffer.end().min(moment.end);
        let selection = Selection {
            trigger: Trigger::Mark,
            probability: self.settings.mark_probability,
        };
        let clip = self.cut(moment.start, end, selection, |seconds| {
            notes.annotate(seconds)
        });
        self.too_short += usize::from(clip.is_none());
        clip
    }

    fn cut(
        &self,
        start: u64,
        end: u64,
        selection: Selection,
        annotate: impl FnOnce(f64) -> Annotation,
    ) -> Option<RawClip> {
        let length = end.checked_sub(start)?;
        if length < self.samples(MIN_CLIP_SECONDS) {
            return None;
        }
        let samples = self.buffer.copy(start, end)?;
        let annotation = annotate(length as f64 / f64::from(self.rate));
        RawClip::new(samples, self.rate, selection, annotation).ok()
    }

    fn window_end(&self) -> u64 {
        self.window.start + self.clip_samples()
    }

    fn clip_samples(&self) -> u64 {
        self.samples(u64::from(self.settings.clip_seconds))
    }

    fn samples(&self, seconds: u64) -> u64 {
        seconds * u64::from(self.rate)
    }
}

impl Window {
    fn draw(start: u64, settings: SamplerSettings, draw: &mut Draw) -> Self {
        let is_selected = settings.random_probability > 0.0
            && draw().map_or_else(
                |error| {
                    tracing::warn!(%error, "cannot draw a random number; the window is not sampled");
                    false
                },
                |drawn| drawn < settings.random_probability,
            );
        Self { start, is_selected }
    }
}
