//! The dimensions of the network. `models/voice/README.md` describes them; `models/voice/net.py` has the same.

use crate::sample_rate::SAMPLE_RATE;

/// The hop between two frames, in samples; frame t is centered on sample t · HOP.
pub(crate) const HOP: usize = 256;
/// The length of the window of a frame, in samples.
pub(super) const WINDOW: usize = 1024;
/// The bins of a frame's spectrum.
pub(super) const BINS: usize = WINDOW / 2 + 1;
/// The bands of the features and the mask.
pub(super) const BANDS: usize = 160;

/// The feature planes: relative to the mean of the clip, the local mean, and the mean of the band.
pub(super) const PLANES: usize = 3;
/// The plane that the decoder sees: relative to the local mean.
pub(super) const LOCAL_PLANE: usize = 1;

/// The zero bands on either side of a row of features.
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
/// The channels of a frame after the convolutions, of which the depthwise one has stride 2 as well.
pub(super) const EMBEDDINGS: usize = BANDS / 4 * WIDE;

/// The mask is decoded in groups of eight bands, with two more on either side as inputs.
pub(super) const GROUPS: usize = 20;
pub(super) const GROUP_BANDS: usize = BANDS / GROUPS;
pub(super) const GROUP_WIDTH: usize = GROUP_BANDS + 2 * BAND_PADDING;
/// The channels of a group after the convolutions.
pub(super) const EMBEDDING: usize = EMBEDDINGS / GROUPS;

/// The channels of the temporal blocks.
pub(super) const CHANNELS: usize = 104;
/// The taps of their depthwise convolutions.
pub(super) const TAPS: usize = 5;
/// The dilation of each temporal block, in frames.
pub(super) const DILATIONS: [usize; 10] = [1, 2, 4, 8, 16, 1, 2, 4, 8, 16];

/// The channels of each group that the decoder of the mask gets from the temporal blocks, and of all groups.
pub(super) const CONTEXT: usize = 16;
pub(super) const CONTEXTS: usize = GROUPS * CONTEXT;
pub(super) const DECODER_INPUTS: usize = CONTEXT + EMBEDDING + GROUP_WIDTH;
/// The channels of each group in the decoder.
pub(super) const HIDDEN: usize = 32;

/// The frames that are processed together: half a minute, the maximum length of a clip. It bounds the memory for longer
/// recordings.
pub(super) const CHUNK: usize = 30 * SAMPLE_RATE as usize / HOP;
/// The frames of context on either side of a chunk: 124 frames by the temporal blocks, two by the convolutions.
pub(super) const CHUNK_CONTEXT: usize = 126;
