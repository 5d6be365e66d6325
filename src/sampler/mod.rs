//! Sampler: chooses the moments that become samples.
//!
//! * **In**: the captured [`Frame`]s, and the [`Moment`]s that the app marks.
//! * **Out**: [`RawClip`]s, each with the reason for which it was chosen and how likely that was.
//! * **Promises**: a clip is an unbroken stretch of what was heard: never across a gap, a change of
//!   rate or a pause in the permission. Draws come from the system's random source and do not look
//!   at the sound.
//! * **Never**: holds a sample in memory while sampling is not permitted, or writes one to disk.
//!
//! # What the probabilities mean
//!
//! *Random*: each unbroken stretch of the stream is tiled with consecutive windows of
//! `clip_seconds`. Whether a window is taken is drawn when it begins, with `random_probability`,
//! whatever it will hold and whatever the app marks in it. What is left of a window when its stretch
//! ends is treated like a whole one, from two seconds on. So each second that was heard is as likely
//! as any other to be in a random clip, and random clips alone, weighted by `1 / probability`,
//! estimate what is heard without bias (Horvitz and Thompson, 1952).
//!
//! *Marks*: a recognizer that stumbles marks several times. Marks that lie within one clip are one
//! moment, drawn once, at its first mark, with `mark_probability`. So each marked moment is as
//! likely as any other to be taken, however often it was marked. Marked clips weighted by
//! `1 / probability` estimate what is marked, not what is heard.
//!
//! The two never look at each other: a window in which a marked clip lies is neither skipped nor
//! merged with it, since random clips would then avoid just the sound that is hard to recognize.
//! The same sound may so stand in two clips, and may in two marked ones whose pre-roll overlaps.

mod annotation;
pub(crate) mod budget;
mod clip;
mod contiguous_span;
mod moment;
mod ring_buffer;

pub use annotation::{Annotation, AnnotationError, MAX_NOTES, MAX_TAG_BYTES, Note};
pub use clip::{ClipError, RawClip, Selection, Trigger};
pub use moment::{Moment, MomentNote};

use crate::{
    capture::Frame,
    consent::Grants,
    plan::Plan,
    rng::{self, RngError},
};
use contiguous_span::ContiguousSpan;

/// How moments are chosen. A value outside its bounds is taken as the nearest within.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplerSettings {
    /// Length of a clip in seconds, 2 to 30.
    pub clip_seconds: u32,
    /// How much of a marked clip lies before the mark, in seconds, at most `clip_seconds`.
    pub pre_roll_seconds: u32,
    /// The probability with which a marked moment is taken, 0 to 1.
    pub mark_probability: f64,
    /// The probability with which a window of `clip_seconds` is taken, 0 to 1.
    pub random_probability: f64,
}

/// What became of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkOutcome {
    /// Its moment was drawn; a clip is being made. An event of the engine tells what came of it.
    Selected,
    /// It lies in a marked clip that is still being made; what it tells was added to that.
    Merged,
    /// Nothing will come of it: its moment was not drawn, or the clip in which it lies is complete.
    Skipped,
}

/// Why a mark was not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MarkError {
    /// No consent, or the plan is paused: nothing is held that could become a clip.
    #[error("sampling is not permitted, so nothing can be marked")]
    NotPermitted,
    /// No source is open, so that no moment is being heard.
    #[error(
        "nothing is being listened to, so nothing can be marked; call `listen` first, and mark while it runs"
    )]
    NotListening,
    /// The position is not within what is held.
    #[error(
        "sample {at} of the stream cannot be marked: samples {oldest} to {newest} are held; mark \
         sooner, and by the positions of the stream that is open now"
    )]
    NotBuffered {
        /// The position that was marked.
        at: u64,
        /// Position of the oldest sample held.
        oldest: u64,
        /// Position after the newest sample held.
        newest: u64,
    },
    /// What the app tells of it is out of bounds, or too much for one clip.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// It could not be drawn.
    #[error(transparent)]
    Unavailable(#[from] RngError),
}

/// Chooses moments and cuts their clips.
pub struct Sampler {
    settings: SamplerSettings,
    grants: Option<Grants>,
    stretch: Option<ContiguousSpan>,
    /// Marked moments that came to nothing and were not told of yet.
    given_up: usize,
    draw: Draw,
}

/// A number drawn evenly from [0, 1).
type Draw = Box<dyn FnMut() -> Result<f64, RngError> + Send>;

impl From<&Plan> for SamplerSettings {
    fn from(plan: &Plan) -> Self {
        Self {
            clip_seconds: plan.clip_seconds,
            pre_roll_seconds: plan.pre_roll_seconds,
            mark_probability: plan.triggers.mark_probability,
            random_probability: plan.triggers.random_probability,
        }
    }
}

impl SamplerSettings {
    fn bounded(self) -> Self {
        // A NaN becomes 0: when in doubt, nothing is taken.
        let probability = |value: f64| {
            if value.is_nan() {
                0.0
            } else {
                value.clamp(0.0, 1.0)
            }
        };
        let clip_seconds = self.clip_seconds.clamp(2, 30);
        Self {
            clip_seconds,
            pre_roll_seconds: self.pre_roll_seconds.min(clip_seconds),
            mark_probability: probability(self.mark_probability),
            random_probability: probability(self.random_probability),
        }
    }
}

impl Sampler {
    /// Nothing is permitted yet: see [`Self::permit`].
    pub fn new(settings: SamplerSettings) -> Self {
        Self::with_draw(settings, Box::new(rng::uniform))
    }

    fn with_draw(settings: SamplerSettings, draw: Draw) -> Self {
        Self {
            settings: settings.bounded(),
            grants: None,
            stretch: None,
            given_up: 0,
            draw,
        }
    }

    /// Sound may be held for as long as `grants` stand.
    pub fn permit(&mut self, grants: Grants) {
        self.grants = Some(grants);
    }

    /// No sound may be held any more: what is held is wiped at once, and clips that are being made are
    /// given up.
    pub fn revoke(&mut self) {
        self.grants = None;
        let ended = self.stretch.take();
        self.given_up += ended.map_or(0, ContiguousSpan::abandoned);
    }

    /// How many marked moments that were [`MarkOutcome::Selected`] have come to nothing since this was last
    /// asked: what was heard of them was too short, or sampling was forbidden meanwhile.
    pub fn take_abandoned(&mut self) -> usize {
        std::mem::take(&mut self.given_up)
    }

    /// Chooses from now on as `other`, which has heard nothing, would. What is held is wiped.
    pub(crate) fn reconfigure(&mut self, other: Self) {
        self.revoke();
        *self = Self {
            given_up: self.given_up,
            ..other
        };
    }

    /// How moments are chosen.
    pub fn settings(&self) -> SamplerSettings {
        self.settings
    }

    /// Whether sound may be held.
    pub fn is_permitted(&self) -> bool {
        self.grants.as_ref().is_some_and(Grants::is_live)
    }

    /// Hears the next frame, and returns the clips that became complete with it. While sampling is
    /// not permitted the frame is not looked at.
    pub fn feed(&mut self, frame: &Frame<'_>) -> Vec<RawClip> {
        let mut complete = Vec::new();
        if !self.is_permitted() {
            // The yes may have ended since it was given over.
            self.revoke();
            return complete;
        }
        if frame.samples.is_empty() {
            return complete;
        }
        let mut stretch = match self.stretch.take() {
            Some(stretch) if stretch.is_contiguous(frame) => stretch,
            broken_off => {
                // What was being made ends where the gap begins.
                complete.extend(self.end(broken_off));
                match ContiguousSpan::begin(self.settings, frame, &mut self.draw) {
                    Some(stretch) => stretch,
                    None => return complete,
                }
            }
        };
        stretch.push(frame.samples, &mut self.draw, &mut complete);
        self.given_up += stretch.take_too_short();
        self.stretch = Some(stretch);
        complete
    }

    /// Marks a moment. If it is chosen, its clip holds `pre_roll_seconds` before it and the rest of
    /// `clip_seconds` after it; less where the stream has only begun, has a gap or ends, but at
    /// least two seconds.
    ///
    /// The app tells the times of notes in seconds from the moment ([`MomentNote`]); in the clip's
    /// [`Annotation`] they become seconds from the clip's start. Notes are cut to what sounds within
    /// the clip: one that began before it has its onset at 0.
    ///
    /// A mark that lies within an earlier marked moment's clip belongs to that moment: see the
    /// [module's documentation](self). A mark may come late, up to two seconds without loss and as
    /// long as its position is held, or up to a second ahead of the frames.
    ///
    /// # Errors
    /// [`MarkError`]; nothing is marked then.
    pub fn mark(&mut self, moment: Moment) -> Result<MarkOutcome, MarkError> {
        moment.check()?;
        if !self.is_permitted() {
            return Err(MarkError::NotPermitted);
        }
        match &mut self.stretch {
            Some(stretch) => stretch.mark(moment, &mut self.draw),
            None => Err(MarkError::NotBuffered {
                at: moment.at.unwrap_or(0),
                oldest: 0,
                newest: 0,
            }),
        }
    }

    /// The stream has ended: returns the clips that were being made, where they are at least two
    /// seconds long, and wipes everything held.
    pub fn finish(&mut self) -> Vec<RawClip> {
        let ended = self.stretch.take();
        self.end(ended)
    }

    fn end(&mut self, stretch: Option<ContiguousSpan>) -> Vec<RawClip> {
        let (clips, given_up) = stretch.map(ContiguousSpan::end).unwrap_or_default();
        self.given_up += given_up;
        clips
    }
}

#[cfg(test)]
mod tests;
