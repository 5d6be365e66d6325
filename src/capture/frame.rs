/// A block of captured samples, as the recognizer and the sampler get it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Mono, full scale at ±1, finite.
    pub samples: &'a [f32],
    /// Sample rate, in Hz.
    pub rate: u32,
    /// The position of the first sample, in samples since the source was last opened. It includes lost samples, so that
    /// it stays aligned with the clock of the microphone.
    pub position: u64,
    /// The number of samples that were lost immediately before this frame, because they were not read in time.
    pub lost: u64,
}
