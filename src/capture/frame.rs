/// A stretch of captured sound, as the recognizer and the sampler get it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Mono, full scale at ±1, finite.
    pub samples: &'a [f32],
    /// Samples a second.
    pub rate: u32,
    /// Where the first sample stands, counted in samples since the source was last opened. Lost ones
    /// count, so that positions stay true to the clock of the microphone.
    pub position: u64,
    /// How many samples were lost immediately before this frame, because nobody took them in time.
    pub lost: u64,
}
