//! One header, one member of a document, one line of a file.

/// A place in what leaves a device, and what can stand there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// A header in lower case; or where a member stands in its document: `notice.sha256`,
    /// `purposes[]` for each element of a list.
    pub name: &'static str,
    /// What it holds.
    pub holds: &'static str,
    /// Every value that it can take.
    pub shape: Shape,
    /// What it says of a person.
    pub personal: Personal,
    /// Why it is sent.
    pub why: &'static str,
}

/// The values that a field can take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Text that this regular expression matches from end to end.
    Text(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number within these bounds, both included. As a header: its decimal digits.
    Whole(u64, u64),
    /// A number within these bounds, both included.
    Number(f64, f64),
    /// `true` or `false`.
    Flag,
    /// Just this JSON, with all that is in it.
    Always(&'static str),
    /// An object; its members are fields of their own.
    Object,
    /// A list of at most so many; its elements are a field of their own.
    List(usize),
}

/// What a field says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// The same on every device, or random and used once.
    No,
    /// Says which things belong to one consent record, not whose that is.
    Links,
    /// Says something of the person, or of what they played.
    About,
}

impl Personal {
    /// In words, for a table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Links => "ties together what belongs to one record",
            Self::About => "says something of the person or of the playing",
        }
    }
}

impl Field {
    /// What [`Self::holds`] says of a member that is the same on every device.
    pub const SAME: &'static str = "the same on every device";

    /// What says the same on every device, so that a record can be read without anything else.
    pub(super) const fn same(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            holds: Self::SAME,
            shape,
            personal: Personal::No,
            why: "the record says by itself what was agreed to",
        }
    }

    /// As [`Self::same`]: a term, or a sentence.
    pub(super) const fn term(name: &'static str, terms: &'static [&'static str]) -> Self {
        Self::same(name, Shape::OneOf(terms))
    }

    /// What only holds other members.
    pub(super) const fn object(name: &'static str, holds: &'static str) -> Self {
        Self {
            name,
            holds,
            shape: Shape::Object,
            personal: Personal::No,
            why: "it holds the members below",
        }
    }
}
