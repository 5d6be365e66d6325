//! Sampler: selects the moments that become samples.
//!
//! * **Input**: captured [`Frame`]s, and the [`Moment`]s that the app marks.
//! * **Output**: [`RawClip`]s, each with the reason why it was selected and the probability of that.
//! * **Guarantees**: a clip is contiguous: it never spans a gap, a change of sample rate or a pause in the permission.
//!   Random numbers come from the operating system and do not depend on the audio.
//! * **Never**: buffers audio while sampling is not permitted, or writes any to disk.
//!
//! # What the probabilities mean
//!
//! *Random*: each contiguous span of the stream is divided into consecutive windows of `clip_seconds`. Whether a window
//! is selected is drawn at its start, with `random_probability`, whatever it will contain and whatever the app marks in
//! it. The partial window at the end of a span is treated like a whole one if it lasts at least two seconds. So each
//! second of the stream is equally likely to be in a random clip, and random clips alone, weighted by
//! `1 / probability`, are an unbiased estimate of the stream (D. G. Horvitz and D. J. Thompson, "A generalization of
//! sampling without replacement from a finite universe", J. Am. Stat. Assoc. 47, 1952).
//!
//! *Marks*: a recognizer that fails marks several times. Marks within one clip are one moment, which is drawn once, at
//! its first mark, with `mark_probability`. So each marked moment is equally likely to be selected, however often it
//! was marked. Marked clips weighted by `1 / probability` are an estimate of what is marked, not of the stream.
//!
//! The two are independent: a window that contains a marked clip is neither skipped nor merged with it, since random
//! clips would then avoid exactly the audio that is hard to recognize. The same audio can therefore be in two clips, as
//! it can in two marked ones whose pre-roll overlaps.

mod annotation;
pub(crate) mod budget;
mod clip;
mod contiguous_span;
mod draw;
mod mark;
mod moment;
mod ring_buffer;
mod settings;

pub use annotation::{Annotation, AnnotationError, MAX_NOTES, MAX_TAG_BYTES, Note};
pub use clip::{ClipError, RawClip, Selection, Trigger};
pub use mark::{MarkError, MarkOutcome};
pub use moment::{Moment, MomentNote};
pub use settings::SamplerSettings;

use self::{contiguous_span::ContiguousSpan, draw::Draw};
use crate::{capture::Frame, consent::Grants, rng};

/// Selects moments and cuts their clips from the stream.
pub struct Sampler {
    settings: SamplerSettings,
    grants: Option<Grants>,
    span: Option<ContiguousSpan>,
    /// Selected marked moments that produced no clip and were not reported yet.
    abandoned: usize,
    draw: Draw,
}

impl Sampler {
    /// A sampler that is not permitted to buffer audio yet: see [`Self::permit`].
    pub fn new(settings: SamplerSettings) -> Self {
        Self::with_draw(settings, Box::new(rng::uniform))
    }

    fn with_draw(settings: SamplerSettings, draw: Draw) -> Self {
        Self {
            settings: settings.clamped(),
            grants: None,
            span: None,
            abandoned: 0,
            draw,
        }
    }

    /// Permits buffering audio for as long as `grants` are valid.
    pub fn permit(&mut self, grants: Grants) {
        self.grants = Some(grants);
    }

    /// Revokes the permission: buffered audio is zeroed at once, and incomplete clips are abandoned.
    pub fn revoke(&mut self) {
        self.grants = None;
        let span = self.span.take();
        self.abandoned += span.map_or(0, ContiguousSpan::abandon);
    }

    /// The number of [`MarkOutcome::Selected`] moments that produced no clip since the last call: too little audio was
    /// buffered, or the permission was revoked.
    pub fn take_abandoned(&mut self) -> usize {
        std::mem::take(&mut self.abandoned)
    }

    /// Replaces this sampler by `other`, which has buffered nothing. Buffered audio is zeroed.
    pub(crate) fn reconfigure(&mut self, other: Self) {
        self.revoke();
        *self = Self {
            abandoned: self.abandoned,
            ..other
        };
    }

    /// The parameters in use.
    pub fn settings(&self) -> SamplerSettings {
        self.settings
    }

    /// Whether audio may be buffered.
    pub fn is_permitted(&self) -> bool {
        self.grants.as_ref().is_some_and(Grants::is_live)
    }

    /// Takes the next frame, and returns the clips that it completed. While sampling is not permitted, the frame is
    /// ignored.
    pub fn feed(&mut self, frame: &Frame<'_>) -> Vec<RawClip> {
        let mut complete = Vec::new();
        if !self.is_permitted() {
            // The grants may have been revoked since they were given.
            self.revoke();
            return complete;
        }
        if frame.samples.is_empty() {
            return complete;
        }
        let mut span = match self.span.take() {
            Some(span) if span.is_contiguous(frame) => span,
            ended => {
                // Incomplete clips end where the gap begins.
                complete.extend(self.end(ended));
                match ContiguousSpan::new(self.settings, frame, &mut self.draw) {
                    Some(span) => span,
                    None => return complete,
                }
            }
        };
        span.push(frame.samples, &mut self.draw, &mut complete);
        self.abandoned += span.take_too_short();
        self.span = Some(span);
        complete
    }

    /// Marks a moment. If it is selected, its clip contains `pre_roll_seconds` before it and the rest of `clip_seconds`
    /// after it; less at the start of the stream, at a gap or at the end, but at least two seconds.
    ///
    /// The times of notes are seconds from the moment ([`MomentNote`]); in the clip's [`Annotation`] they become
    /// seconds from the start of the clip. Notes are cut to the clip: one that started before it has its onset at 0.
    ///
    /// A mark within the clip of an earlier marked moment belongs to that moment: see the
    /// [module's documentation](self). A mark may be up to two seconds late without loss, or later as long as its
    /// position is buffered, and up to a second ahead of the frames.
    ///
    /// # Errors
    /// [`MarkError`]; nothing is marked then.
    pub fn mark(&mut self, moment: Moment) -> Result<MarkOutcome, MarkError> {
        moment.check()?;
        if !self.is_permitted() {
            return Err(MarkError::NotPermitted);
        }
        match &mut self.span {
            Some(span) => span.mark(moment, &mut self.draw),
            None => Err(MarkError::NotBuffered {
                at: moment.at.unwrap_or(0),
                oldest: 0,
                newest: 0,
            }),
        }
    }

    /// Ends the stream: returns the incomplete clips of at least two seconds, and zeroes buffered audio.
    pub fn finish(&mut self) -> Vec<RawClip> {
        let span = self.span.take();
        self.end(span)
    }

    fn end(&mut self, span: Option<ContiguousSpan>) -> Vec<RawClip> {
        let (clips, abandoned) = span.map(ContiguousSpan::end).unwrap_or_default();
        self.abandoned += abandoned;
        clips
    }
}

#[cfg(test)]
mod tests;
