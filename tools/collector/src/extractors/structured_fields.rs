//! Structured field values for HTTP, RFC 9651: the dictionaries that signatures and digests use.
//!
//! The crate `sfv` parses them. This module is stricter where signed requests need it: a key may occur only once, the
//! number of members is bounded, and decimals, dates and display strings are rejected.

use std::collections::BTreeSet;

use sfv::{
    BareItem, BareItemFromInput, InnerList, KeyRef, ListEntry, ListSerializer, Parser,
    visitor::{DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, ParameterVisitor},
};

/// The maximum number of members of a dictionary, items of an inner list, and parameters of either. A signature has two
/// of the first, six of the second and two of the third; RFC 9651 section 1.2 asks for at least 1024, 256 and 256 of a
/// general-purpose parser.
const MAX_MEMBERS: usize = 64;

/// A dictionary (section 3.2).
#[derive(Debug, PartialEq)]
pub(crate) struct Dictionary(sfv::Dictionary);

/// Text that is not a field of this kind.
#[derive(Debug, thiserror::Error)]
#[error("not a structured field: {0}")]
pub(crate) struct ParseFieldError(sfv::Error);

impl Dictionary {
    /// Parses a field's value (section 4.2.2). A duplicate key is rejected, although the RFC would let the last one
    /// win: signer and verifier must not read different values.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseFieldError> {
        Parser::new(text)
            .parse_dictionary_with_visitor(Keys::default())
            .map_err(ParseFieldError)?;
        Parser::new(text).parse().map(Self).map_err(ParseFieldError)
    }

    pub(crate) fn inner_list(&self, key: &str) -> Option<&InnerList> {
        match self.0.get(key)? {
            ListEntry::InnerList(list) => Some(list),
            ListEntry::Item(_) => None,
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        match self.0.get(key)? {
            ListEntry::Item(item) => match &item.bare_item {
                BareItem::ByteSequence(bytes) => Some(bytes),
                _ => None,
            },
            ListEntry::InnerList(_) => None,
        }
    }
}

/// Serializes an inner list with its parameters (section 4.1.1.1).
pub(crate) fn serialize_inner_list(list: &InnerList) -> String {
    let mut serializer = ListSerializer::new();
    let mut items = serializer.inner_list();
    items.items(&list.items);
    drop(items.finish().parameters(&list.params));
    serializer.finish().unwrap_or_default()
}

/// A rule of this module that is stricter than the RFC.
#[derive(Debug, thiserror::Error)]
enum Violation {
    #[error("a key occurs twice")]
    DuplicateKey,
    #[error("it has more than {MAX_MEMBERS} members")]
    TooManyMembers,
    #[error("decimals, dates and display strings are not supported")]
    UnsupportedType,
}

/// The keys of a dictionary or of parameters.
#[derive(Default)]
struct Keys<'de>(BTreeSet<&'de str>);

impl<'de> Keys<'de> {
    fn insert(&mut self, key: &'de KeyRef) -> Result<(), Violation> {
        if !self.0.insert(key.as_str()) {
            return Err(Violation::DuplicateKey);
        }
        match self.0.len() > MAX_MEMBERS {
            true => Err(Violation::TooManyMembers),
            false => Ok(()),
        }
    }
}

impl<'de> DictionaryVisitor<'de> for Keys<'de> {
    type Out = ();
    type Error = Violation;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Violation> {
        self.insert(key).map(|()| Member)
    }

    fn finish(self) -> Result<(), Violation> {
        Ok(())
    }
}

impl<'de> ParameterVisitor<'de> for Keys<'de> {
    type Out = ();
    type Error = Violation;

    fn parameter(
        &mut self,
        key: &'de KeyRef,
        value: BareItemFromInput<'de>,
    ) -> Result<(), Violation> {
        check_type(&value)?;
        self.insert(key)
    }

    fn finish(self) -> Result<(), Violation> {
        Ok(())
    }
}

/// An item, in a dictionary or in an inner list.
struct Member;

impl<'de> EntryVisitor<'de> for Member {
    type Error = Violation;

    fn item(self) -> Result<impl ItemVisitor<'de>, Violation> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Violation> {
        Ok(Items(0))
    }
}

impl<'de> ItemVisitor<'de> for Member {
    type Out = ();
    type Error = Violation;

    fn bare_item(
        self,
        value: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Violation> {
        check_type(&value).map(|()| Keys::default())
    }
}

/// The number of items of an inner list.
struct Items(usize);

impl<'de> InnerListVisitor<'de> for Items {
    type Error = Violation;

    fn item(&mut self) -> Result<impl ItemVisitor<'de>, Violation> {
        self.0 += 1;
        match self.0 > MAX_MEMBERS {
            true => Err(Violation::TooManyMembers),
            false => Ok(Member),
        }
    }

    fn finish(self) -> Result<impl ParameterVisitor<'de>, Violation> {
        Ok(Keys::default())
    }
}

fn check_type(value: &BareItemFromInput<'_>) -> Result<(), Violation> {
    match value {
        BareItemFromInput::Decimal(_)
        | BareItemFromInput::Date(_)
        | BareItemFromInput::DisplayString(_) => Err(Violation::UnsupportedType),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_9421_examples_survive_a_round_trip() {
        for parameters in [
            r#"("date" "@method" "@path");created=1618884473;keyid="test-key-ed25519""#,
            r#"();created=1618884473;keyid="a\"b\\c";alg="rsa-pss-sha512""#,
            r#"("@query-param";name="Pet" "x";bs "y";sf;tr);tag=*token/1;n=-12;f=?0"#,
        ] {
            let dictionary = Dictionary::parse(&format!("other=:AAA=:, sig={parameters}")).unwrap();
            assert_eq!(
                serialize_inner_list(dictionary.inner_list("sig").unwrap()),
                parameters
            );
            assert_eq!(dictionary.bytes("other"), Some([0, 0].as_slice()));
        }
    }

    #[test]
    fn more_members_than_the_maximum_are_rejected() {
        let many = |count: usize, one: &dyn Fn(usize) -> String, between: &str| {
            (0..count).map(one).collect::<Vec<_>>().join(between)
        };
        for (count, is_taken) in [
            (MAX_MEMBERS, true),
            (MAX_MEMBERS + 1, false),
            (100_000, false),
        ] {
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
    fn text_that_is_not_a_dictionary_is_rejected() {
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
        assert!(Dictionary::parse("").unwrap().0.get("a").is_none());
    }
}
