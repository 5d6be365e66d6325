/// Settings of the anonymizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Replace removed parts by silence, so that the output keeps the timing of the input.
    pub keep_time: bool,
}
