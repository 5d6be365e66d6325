//! Data that leaves a device: requests, headers, members of documents, layers of the sealed sample.

use std::fmt;

use serde::Deserialize;

/// A request that a device makes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) method: String,
    /// A regular expression, after the path of the collector's own URL. There is no query.
    pub(crate) path: String,
    pub(crate) when: String,
    /// Keys of the table `header`.
    pub(super) headers: Vec<String>,
    /// The headers with these keys.
    #[serde(skip)]
    pub(crate) fields: Vec<Field>,
    #[serde(default)]
    pub(crate) body: Body,
}

/// The body of a request.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Body {
    #[default]
    Empty,
    Registration,
    Withdrawal,
    Sample,
}

/// The members of a JSON document.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    group: Vec<Group>,
    /// Members that are the same on every device.
    #[serde(default)]
    pub(crate) constants: Vec<Constant>,
}

/// Members with the same reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    personal: Personal,
    why: String,
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    name: String,
    shape: Shape,
    holds: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constant {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

/// A header, or a member of a document.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    /// A header in lower case; or the path of a member: `notice.sha256`, `purposes[]` for each element of a list.
    pub(crate) name: String,
    pub(crate) holds: String,
    pub(crate) shape: Shape,
    pub(crate) personal: Personal,
    pub(crate) why: String,
}

/// The values that a field can take.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// Text that this regular expression matches from end to end.
    Text(String),
    OneOf(Vec<String>),
    /// A whole number within these bounds, both included. As a header: its decimal digits.
    Whole(u64, u64),
    /// A number within these bounds, both included.
    Number(f64, f64),
    Flag,
    /// Exactly this JSON.
    Always(String),
    /// An object whose members are separate fields.
    Object,
    /// The maximum number of elements, which are a field of their own.
    List(usize),
    /// The texts of other facts; resolved into [`Self::OneOf`] when facts are loaded.
    Stated(Statement),
}

/// The source of the descriptions in a consent record.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Statement {
    Purposes,
    Categories,
    Rights,
    Source,
    Retention,
    Deletion,
    Recipients,
    NoThirdParty,
    Withdrawal,
    WithdrawalPlace,
}

/// The information about a person in a field.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Personal {
    /// The same on every device, or random and used once.
    No,
    /// Links data to one consent record, not to a person.
    Links,
    /// About the person, or what they played.
    About,
}

/// A layer of the sealed sample or of the network below HTTP.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layer {
    pub(crate) what: String,
    /// A regular expression where it is text, else a length or a rule.
    pub(crate) looks: String,
    pub(crate) tells: String,
}

impl Document {
    /// All members but the constants.
    pub(crate) fn members(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        for group in &self.group {
            fields.extend(group.members.iter().map(|member| Field {
                name: member.name.clone(),
                holds: member.holds.clone(),
                shape: member.shape.clone(),
                personal: group.personal,
                why: group.why.clone(),
            }));
        }
        fields
    }

    /// The name and the shape of each member.
    #[cfg(test)]
    pub(crate) fn shapes(&self) -> impl Iterator<Item = (&str, &Shape)> {
        let members = self.group.iter().flat_map(|group| &group.members);
        let members = members.map(|member| (member.name.as_str(), &member.shape));
        members.chain((self.constants.iter()).map(|member| (member.name.as_str(), &member.shape)))
    }

    pub(super) fn resolve(&mut self, texts: impl Fn(Statement) -> Vec<String>) {
        let members = self.group.iter_mut().flat_map(|group| &mut group.members);
        let shapes = members.map(|member| &mut member.shape);
        for shape in shapes.chain(self.constants.iter_mut().map(|member| &mut member.shape)) {
            if let Shape::Stated(statement) = *shape {
                *shape = Shape::OneOf(texts(statement));
            }
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(pattern) => write!(f, "`{pattern}`"),
            Self::OneOf(texts) => write!(f, "`{}`", texts.join("` or `")),
            Self::Whole(least, most) if least == most => write!(f, "{least}"),
            Self::Whole(least, most) => write!(f, "{least} to {most}, whole"),
            Self::Number(least, most) => write!(f, "{least} to {most}"),
            Self::Flag => f.write_str("`true` or `false`"),
            Self::Always(json) => write!(f, "`{json}`"),
            Self::Object => f.write_str("an object"),
            Self::List(most) => write!(f, "a list of at most {most}"),
            Self::Stated(_) => f.write_str("a text"),
        }
    }
}

impl fmt::Display for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "no",
            Self::Links => "links data of one consent record",
            Self::About => "about the person or their playing",
        })
    }
}
