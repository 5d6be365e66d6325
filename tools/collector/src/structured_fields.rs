//! Structured field values for HTTP, RFC 9651: as much of them as signatures and digests use, which
//! is dictionaries of items and inner lists. Decimals, dates and display strings are refused.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

/// The most members of a dictionary, items of an inner list, and parameters of either. A signature has two of the first,
/// six of the second and two of the third; RFC 9651 section 1.2 asks for at least 1024, 256 and 256 of a parser that is
/// to read any field.
const MAX_MEMBERS: usize = 64;

/// A dictionary (section 3.2), in the order in which it was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dictionary(Vec<(String, Member)>);

/// What a key of a dictionary stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Item(Item),
    InnerList(InnerList),
}

/// Items in parentheses (section 3.1.1), with the list's own parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InnerList {
    pub(crate) items: Vec<Item>,
    pub(crate) parameters: Parameters,
}

/// A bare item (section 3.3) with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) value: Value,
    pub(crate) parameters: Parameters,
}

/// Parameters (section 3.1.2), in the order in which they were written.
pub(crate) type Parameters = Vec<(String, Value)>;

/// A bare item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Integer(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

/// Text that is no such field.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a structured field: {0}")]
pub(crate) struct ParseFieldError(&'static str);

impl Dictionary {
    /// Parses a field's value (section 4.2.2). A key that comes twice is refused, where the RFC
    /// would let the last one win: nobody should sign one and mean the other.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseFieldError> {
        let mut parser = Parser {
            rest: text.trim_matches(' '),
        };
        let mut members: Vec<(String, Member)> = Vec::new();
        let mut keys = BTreeSet::new();
        while !parser.rest.is_empty() {
            let key = parser.key()?;
            let member = match parser.take('=') {
                true => parser.member()?,
                false => Member::Item(Item {
                    value: Value::Boolean(true),
                    parameters: parser.parameters()?,
                }),
            };
            if !keys.insert(key.clone()) {
                return Err(ParseFieldError("a key comes twice"));
            }
            add(&mut members, (key, member))?;
            parser.blanks();
            if parser.rest.is_empty() {
                break;
            }
            if !parser.take(',') {
                return Err(ParseFieldError("a comma is missing"));
            }
            parser.blanks();
            if parser.rest.is_empty() {
                return Err(ParseFieldError("it ends with a comma"));
            }
        }
        Ok(Self(members))
    }

    pub(crate) fn inner_list(&self, key: &str) -> Option<&InnerList> {
        match self.member(key)? {
            Member::InnerList(list) => Some(list),
            Member::Item(_) => None,
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        match self.member(key)? {
            Member::Item(Item {
                value: Value::Bytes(bytes),
                ..
            }) => Some(bytes),
            _ => None,
        }
    }

    fn member(&self, key: &str) -> Option<&Member> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, member)| member)
    }
}

impl InnerList {
    /// Section 4.1.1.1.
    pub(crate) fn serialize(&self) -> String {
        let items: Vec<String> = self.items.iter().map(Item::serialize).collect();
        format!(
            "({}){}",
            items.join(" "),
            serialise_parameters(&self.parameters)
        )
    }
}

impl Item {
    /// Section 4.1.3.
    pub(crate) fn serialize(&self) -> String {
        format!(
            "{}{}",
            self.value.serialize(),
            serialise_parameters(&self.parameters)
        )
    }
}

impl Value {
    fn serialize(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::String(text) => {
                format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Self::Token(token) => token.clone(),
            Self::Bytes(bytes) => format!(":{}:", BASE64.encode(bytes)),
            Self::Boolean(true) => "?1".to_owned(),
            Self::Boolean(false) => "?0".to_owned(),
        }
    }
}

fn serialise_parameters(parameters: &Parameters) -> String {
    let one = |(key, value): &(String, Value)| match value {
        Value::Boolean(true) => format!(";{key}"),
        value => format!(";{key}={}", value.serialize()),
    };
    parameters.iter().map(one).collect()
}

/// Adds one more, where there may be one.
fn add<T>(all: &mut Vec<T>, one: T) -> Result<(), ParseFieldError> {
    if all.len() == MAX_MEMBERS {
        return Err(ParseFieldError("it has too many members"));
    }
    all.push(one);
    Ok(())
}

/// Section 4.2. Offsets are those of ASCII characters; anything else is refused where it stands.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn member(&mut self) -> Result<Member, ParseFieldError> {
        if !self.take('(') {
            return self.item().map(Member::Item);
        }
        let mut items = Vec::new();
        loop {
            self.spaces();
            if self.take(')') {
                let parameters = self.parameters()?;
                return Ok(Member::InnerList(InnerList { items, parameters }));
            }
            let item = self.item()?;
            add(&mut items, item)?;
            if !self.rest.starts_with([' ', ')']) {
                return Err(ParseFieldError("an inner list does not end"));
            }
        }
    }

    fn item(&mut self) -> Result<Item, ParseFieldError> {
        Ok(Item {
            value: self.value()?,
            parameters: self.parameters()?,
        })
    }

    fn parameters(&mut self) -> Result<Parameters, ParseFieldError> {
        let mut parameters = Parameters::new();
        let mut keys = BTreeSet::new();
        while self.take(';') {
            self.spaces();
            let key = self.key()?;
            let value = match self.take('=') {
                true => self.value()?,
                false => Value::Boolean(true),
            };
            if !keys.insert(key.clone()) {
                return Err(ParseFieldError("a parameter comes twice"));
            }
            add(&mut parameters, (key, value))?;
        }
        Ok(parameters)
    }

    fn key(&mut self) -> Result<String, ParseFieldError> {
        let is_first = |letter: char| letter.is_ascii_lowercase() || letter == '*';
        let is_key = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-.*".contains(letter)
        };
        if !self.rest.starts_with(is_first) {
            return Err(ParseFieldError("a key is missing"));
        }
        Ok(self.take_while(is_key).to_owned())
    }

    fn value(&mut self) -> Result<Value, ParseFieldError> {
        match self.rest.chars().next() {
            Some('"') => self.string().map(Value::String),
            Some(':') => self.bytes().map(Value::Bytes),
            Some('?') => self.boolean().map(Value::Boolean),
            Some('-' | '0'..='9') => self.integer().map(Value::Integer),
            Some('A'..='Z' | 'a'..='z' | '*') => {
                let is_token = |letter: char| {
                    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(letter)
                };
                Ok(Value::Token(self.take_while(is_token).to_owned()))
            }
            _ => Err(ParseFieldError("a value is missing")),
        }
    }

    fn string(&mut self) -> Result<String, ParseFieldError> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    _ => return Err(ParseFieldError("a string holds a wrong escape")),
                },
                ' '..='~' => text.push(letter),
                _ => return Err(ParseFieldError("a string holds what is not printable ASCII")),
            }
        }
        Err(ParseFieldError("a string does not end"))
    }

    fn bytes(&mut self) -> Result<Vec<u8>, ParseFieldError> {
        let (encoded, rest) = self.rest[1..]
            .split_once(':')
            .ok_or(ParseFieldError("a byte sequence does not end"))?;
        self.rest = rest;
        BASE64
            .decode(encoded)
            .map_err(|_| ParseFieldError("a byte sequence is no base64"))
    }

    fn boolean(&mut self) -> Result<bool, ParseFieldError> {
        let value = self.rest.starts_with("?1");
        self.rest = self
            .rest
            .strip_prefix("?1")
            .or_else(|| self.rest.strip_prefix("?0"))
            .ok_or(ParseFieldError("a boolean is neither ?0 nor ?1"))?;
        Ok(value)
    }

    fn integer(&mut self) -> Result<i64, ParseFieldError> {
        let is_negative = self.take('-');
        let digits = self.take_while(|letter| letter.is_ascii_digit());
        if digits.len() > 15 || self.rest.starts_with('.') {
            return Err(ParseFieldError("a number is no integer of at most 15 digits"));
        }
        let number: i64 = digits
            .parse()
            .map_err(|_| ParseFieldError("a number has no digits"))?;
        Ok(if is_negative { -number } else { number })
    }

    fn take(&mut self, letter: char) -> bool {
        let rest = self.rest.strip_prefix(letter);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|letter| !belongs(letter))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rfc_9421_prints_is_written_again_just_so() {
        for parameters in [
            r#"("date" "@method" "@path");created=1618884473;keyid="test-key-ed25519""#,
            r#"();created=1618884473;keyid="a\"b\\c";alg="rsa-pss-sha512""#,
            r#"("@query-param";name="Pet" "x";bs "y";sf;tr);tag=*token/1;n=-12;f=?0"#,
        ] {
            let dictionary = Dictionary::parse(&format!("other=:AAA=:, sig={parameters}")).unwrap();
            assert_eq!(
                dictionary.inner_list("sig").unwrap().serialize(),
                parameters
            );
            assert_eq!(dictionary.bytes("other"), Some([0, 0].as_slice()));
        }
    }

    #[test]
    fn a_field_of_many_members_is_refused_and_one_of_as_many_as_may_be_is_not() {
        let many = |count: usize, one: &dyn Fn(usize) -> String, between: &str| {
            (0..count).map(one).collect::<Vec<_>>().join(between)
        };
        for (count, is_taken) in [(MAX_MEMBERS, true), (MAX_MEMBERS + 1, false), (100_000, false)] {
            for text in [
                many(count, &|key| format!("k{key}"), ","),
                format!("a=({})", many(count, &|_| "1".to_owned(), " ")),
                format!("a=1;{}", many(count, &|key| format!("k{key}"), ";")),
                format!("a=(1);{}", many(count, &|key| format!("k{key}"), ";")),
            ] {
                assert_eq!(Dictionary::parse(&text).is_ok(), is_taken);
            }
        }
    }

    #[test]
    fn what_is_no_dictionary_is_refused() {
        for text in [
            "=",
            "a=",
            "a=(",
            "a=(\"b\"",
            "a=(\"b\"\"c\")",
            "a=\"b",
            "a=\"\u{e9}\"",
            "a=\"\\n\"",
            "a=:A:",
            "a=:AAAA",
            "a=1.5",
            "a=-",
            "a=1234567890123456",
            "a=?2",
            "a=1,",
            "a=1 b=2",
            "a=1, a=2",
            "a;b;b",
            "A=1",
            "\u{e9}",
            "a=\u{e9}",
            "a=@1",
            ",",
        ] {
            assert!(Dictionary::parse(text).is_err(), "{text}");
        }
        assert!(Dictionary::parse("").unwrap().member("a").is_none());
    }
}
