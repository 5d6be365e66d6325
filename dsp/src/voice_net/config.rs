//! The dimensions of the network. `models/voice/README.md` describes them; `models/voice/net.py` has the same.

use crate::sample_rate::SAMPLE_RATE;

/// The hop between two frames, in samples; frame t is centered on sample t · HOP.
pub(crate) const HOP: usize = 256;
/// The length of a frame's window, in samples.
pub(super) const WINDOW: usize = 1024;
/// The bins of a frame's spectrum.
pub(super) const BINS: usize = WINDOW / 2 + 1;
/// The bands of the features and the mask.
pub(super) const BANDS: usize = 160;

/// The feature planes: relative to the mean of the clip, the local mean, and the mean of the band.
pub(super) const PLANES: usize = 3;
/// The zero bands on either side of a row of features, for the convolution over bands.
pub(super) const BAND_PADDING: usize = 2;

/// The kernel of the convolutions: frames by bands.
pub(super) const TIME_TAPS: usize = 3;
pub(super) const BAND_TAPS: usize = 5;
/// The channels after the first convolution and the depthwise one.
pub(super) const NARROW: usize = 8;
/// The channels after the pointwise convolution.
pub(super) const WIDE: usize = 16;
/// The bands after the first convolution, which has stride 2.
pub(super) const HALF_BANDS: usize = BANDS / 2;
/// The bands after the depthwise convolution, which has stride 2.
pub(super) const QUARTER_BANDS: usize = BANDS / 4;
/// The inputs of the projection: all bands and channels of a frame.
pub(super) const PROJECTION_INPUTS: usize = QUARTER_BANDS * WIDE;

/// The channels of the temporal blocks.
pub(super) const CHANNELS: usize = 96;
/// The kernel of a temporal block, in frames.
pub(super) const TAPS: usize = 5;
/// The dilation of each temporal block, in frames.
pub(super) const DILATIONS: [usize; 10] = [1, 2, 4, 8, 16, 1, 2, 4, 8, 16];

/// The frames that are processed together: half a minute, the maximum length of a clip. It bounds the memory for longer
/// recordings.
pub(super) const CHUNK: usize = 30 * SAMPLE_RATE as usize / HOP;
/// The receptive field on either side of a frame: 124 frames by the temporal blocks, two by the convolutions.
pub(super) const CONTEXT: usize = 126;
