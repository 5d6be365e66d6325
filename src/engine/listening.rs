pub struct Listening; pub enum MarkOutcome {}
