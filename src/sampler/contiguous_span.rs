//! One unbroken stretch of the stream: its memory, the window that is being drawn from it, and the
//! marked moment in it.

use sordino_dsp::INPUT_RATES;

use super::{
    Draw, MarkError, MarkOutcome, Moment, RawClip, SamplerSettings, Selection, Trigger,
    moment::Notes, ring_buffer::RingBuffer,
};
use crate::{capture::Frame, sampler::Annotation};

/// The shortest clip that is of use, in seconds; the plan's shortest `clip_seconds`.
const MIN_CLIP_SECONDS: u64 = 2;
/// How much later than its moment a mark may come and still get its whole clip, in seconds.
const MAX_MARK_DELAY_SECONDS: u64 = 2;
/// How far ahead of the frames that the sampler was given a mark may lie, in seconds: an app's
/// recognizer may get them first.
const MAX_MARK_LEAD_SECONDS: u64 = 1;

pub(super) struct ContiguousSpan {
    settings: SamplerSettings,
    rate: u32,
    memory: RingBuffer,
    window: Window,
    /// The marked moments whose clips are, at least in part, still held; few, since none lies within
    /// another's clip.
    marked: Vec<MarkedMoment>,
    /// Marked moments of which too little was heard to make a clip.
    too_short: usize,
}

/// The stretch of `clip_seconds` that the stream is in.
struct Window {
    start: u64,
    is_chosen: bool,
}

/// A moment that was drawn, or not, at its first mark.
struct MarkedMoment {
    start: u64,
    end: u64,
    /// `None`: it was not drawn, or its clip is complete.
    notes: Option<Notes>,
}

impl ContiguousSpan {
    /// Begins with `frame`, which is still to be heard. `None` at a rate that no clip may have.
    pub(super) fn begin(
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
            memory: RingBuffer::new(capacity, frame.position),
            window: Window::draw(frame.position, settings, draw),
            marked: Vec::new(),
            too_short: 0,
        })
    }

    /// Whether `frame` follows on what was heard without a gap.
    pub(super) fn is_contiguous(&self, frame: &Frame<'_>) -> bool {
        frame.lost == 0 && frame.rate == self.rate && frame.position == self.memory.end()
    }

    /// Hears samples; clips that they complete are added to `complete`.
    pub(super) fn push(&mut self, samples: &[f32], draw: &mut Draw, complete: &mut Vec<RawClip>) {
        let mut rest = samples;
        loop {
            self.cut_due_clips(complete);
            let window_end = self.window_end();
            if self.memory.end() >= window_end && !rest.is_empty() {
                self.window = Window::draw(window_end, self.settings, draw);
                continue;
            }
            if rest.is_empty() {
                return;
            }
            let (now, later) = rest.split_at(rest.len().min(self.until_next_cut()));
            self.memory.push(now);
            rest = later;
        }
    }

    pub(super) fn mark(
        &mut self,
        moment: Moment,
        draw: &mut Draw,
    ) -> Result<MarkOutcome, MarkError> {
        let (oldest, newest) = (self.memory.oldest(), self.memory.end());
        let at = moment.at.unwrap_or(newest);
        if at < oldest || at > newest.saturating_add(self.samples(MAX_MARK_LEAD_SECONDS)) {
            return Err(MarkError::NotBuffered { at, oldest, newest });
        }
        let rate = f64::from(self.rate);
        let lies_within = |earlier: &&mut MarkedMoment| (earlier.start..=earlier.end).contains(&at);
        if let Some(earlier) = self.marked.iter_mut().find(lies_within) {
            let Some(notes) = &mut earlier.notes else {
                return Ok(MarkOutcome::Skipped);
            };
            notes.add(moment, (at - earlier.start) as f64 / rate)?;
            return Ok(MarkOutcome::Merged);
        }
        let pre_roll = self.samples(u64::from(self.settings.pre_roll_seconds));
        let start = at.saturating_sub(pre_roll).max(oldest);
        let is_chosen = draw()? < self.settings.mark_probability;
        let notes = if is_chosen {
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
        Ok(if is_chosen {
            MarkOutcome::Selected
        } else {
            MarkOutcome::Skipped
        })
    }

    /// The stretch ends here; so does what was being made. Beside the clips: how many marked moments
    /// come to nothing by it.
    pub(super) fn end(mut self) -> (Vec<RawClip>, usize) {
        let end = self.memory.end();
        let mut clips = Vec::from_iter(self.cut_window(end));
        for mut moment in std::mem::take(&mut self.marked) {
            clips.extend(self.cut_marked(&mut moment));
        }
        (clips, self.too_short)
    }

    /// How many marked moments come to nothing where the stretch is given up.
    pub(super) fn abandoned(self) -> usize {
        let being_made = |moment: &&MarkedMoment| moment.notes.is_some();
        self.too_short + self.marked.iter().filter(being_made).count()
    }

    /// How many marked moments came to nothing since this was last asked.
    pub(super) fn take_too_short(&mut self) -> usize {
        std::mem::take(&mut self.too_short)
    }

    fn cut_due_clips(&mut self, complete: &mut Vec<RawClip>) {
        let (oldest, end) = (self.memory.oldest(), self.memory.end());
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

    /// How many samples may be heard until a clip ends: there all of it is still held.
    fn until_next_cut(&self) -> usize {
        let ends = self.marked.iter().map(|moment| moment.end);
        let samples = ends
            .chain([self.window_end()])
            .filter_map(|end| end.checked_sub(self.memory.end()))
            .filter(|samples| *samples > 0)
            .min();
        samples.map_or(usize::MAX, |samples| samples as usize)
    }

    fn cut_window(&mut self, end: u64) -> Option<RawClip> {
        if !std::mem::take(&mut self.window.is_chosen) {
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
        let end = self.memory.end().min(moment.end);
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
        let samples = self.memory.copy(start, end)?;
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
        let is_chosen = settings.random_probability > 0.0
            && draw().map_or_else(
                |error| {
                    tracing::warn!(%error, "a window cannot be drawn and is not taken");
                    false
                },
                |drawn| drawn < settings.random_probability,
            );
        Self { start, is_chosen }
    }
}
