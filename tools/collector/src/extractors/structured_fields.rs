//! Structured field values for HTTP, RFC 9651: the dictionaries that signatures and digests use.
//!
//! The crate `sfv` parses them. This module is stricter where signed requests need it: a key may occur only once, the
//! number of members is bounded, and decimals, dates and display strings are rejected.

use sfv::{
    BareItem, BareItemFromInput, InnerList, Item, KeyRef, ListEntry, ListSerializer, Parser,
    visitor::{
        DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, ParameterVisitor,
        parameter_visitor_with,
    },
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
            .parse_dictionary_with_visitor(Self(sfv::Dictionary::new()))
            .map_err(ParseFieldError)
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
pub(crate) enum Violation {
    #[error("a key occurs twice")]
    DuplicateKey,
    #[error("it has more than {MAX_MEMBERS} members")]
    TooManyMembers,
    #[error("decimals, dates and display strings are not supported")]
    UnsupportedType,
}

impl<'de> DictionaryVisitor<'de> for Dictionary {
    type Out = Self;
    type Error = Violation;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Violation> {
        check_key(self.0.contains_key(key.as_str()), self.0.len())?;
        Ok(Member(|entry| {
            self.0.insert(key.to_owned(), entry);
        }))
    }

    fn finish(self) -> Result<Self, Violation> {
        Ok(self)
    }
}

/// A member of a dictionary, which the function receives when it is complete.
struct Member<F>(F);

impl<'de, F: FnOnce(ListEntry)> EntryVisitor<'de> for Member<F> {
    type Error = Violation;

    fn item(self) -> Result<impl ItemVisitor<'de>, Violation> {
        Ok(ItemBuilder(|item| (self.0)(ListEntry::Item(item))))
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Violation> {
        Ok(InnerListBuilder {
            items: Vec::new(),
            insert: |list| (self.0)(ListEntry::InnerList(list)),
        })
    }
}

/// An item, which the function receives when it is complete.
struct ItemBuilder<F>(F);

impl<'de, F: FnOnce(Item)> ItemVisitor<'de> for ItemBuilder<F> {
    type Out = ();
    type Error = Violation;

    fn bare_item(
        self,
        value: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Violation> {
        check_type(&value)?;
        Ok(parameter_visitor_with(
            Parameters::default(),
            move |parameters| {
                (self.0)(Item::with_params(value, parameters));
                Ok(())
            },
        ))
    }
}

/// An inner list, which `insert` receives when it is complete.
struct InnerListBuilder<F> {
    items: Vec<Item>,
    insert: F,
}

impl<'de, F: FnOnce(InnerList)> InnerListVisitor<'de> for InnerListBuilder<F> {
    type Error = Violation;

    fn item(&mut self) -> Result<impl ItemVisitor<'de>, Violation> {
        match self.items.len() >= MAX_MEMBERS {
            true => Err(Violation::TooManyMembers),
            false => Ok(ItemBuilder(|item| self.items.push(item))),
        }
    }

    fn finish(self) -> Result<impl ParameterVisitor<'de>, Violation> {
        Ok(parameter_visitor_with(
            Parameters::default(),
            move |parameters| {
                (self.insert)(InnerList::with_params(self.items, parameters));
                Ok(())
            },
        ))
    }
}

#[derive(Default)]
struct Parameters(sfv::Parameters);

impl<'de> ParameterVisitor<'de> for Parameters {
    type Out = sfv::Parameters;
    type Error = Violation;

    fn parameter(
        &mut self,
        key: &'de KeyRef,
        value: BareItemFromInput<'de>,
    ) -> Result<(), Violation> {
        check_type(&value)?;
        check_key(self.0.contains_key(key.as_str()), self.0.len())?;
        self.0.insert(key.to_owned(), value.into());
        Ok(())
    }

    fn finish(self) -> Result<sfv::Parameters, Violation> {
        Ok(self.0)
    }
}

/// Checks a key that is to be added to `count` others.
fn check_key(is_known: bool, count: usize) -> Result<(), Violation> {
    match (is_known, count >= MAX_MEMBERS) {
        (true, _) => Err(Violation::DuplicateKey),
        (false, true) => Err(Violation::TooManyMembers),
        (false, false) => Ok(()),
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
