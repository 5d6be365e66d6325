//! The dimensions of Silero VAD at 16 kHz.

/// The samples of one frame, for which the network gives one probability.
pub(crate) const FRAME: usize = 512;
/// The samples before a frame that are part of its input.
pub(super) const CONTEXT: usize = 64;
/// The samples by which the input is reflected at its end.
pub(super) const REFLECTION: usize = 64;

/// The length of a window of the short-time Fourier transform, in samples.
pub(super) const WINDOW: usize = 256;
/// The hop between two windows, in samples.
pub(super) const HOP: usize = 128;
/// The windows of one frame.
pub(super) const WINDOWS: usize = 4;
/// The bins of one window.
pub(super) const BINS: usize = WINDOW / 2 + 1;

/// The channels after the first and the fourth convolution, and the units of the LSTM.
pub(super) const WIDE: usize = 128;
/// The channels after the second and the third convolution.
pub(super) const NARROW: usize = 64;
/// The gates of the LSTM, in this order: input, forget, cell, output.
pub(super) const GATES: usize = 4 * WIDE;
/// The zero rows around the input of a convolution with three taps: one before, one after.
pub(super) const PADDING: usize = 2;
