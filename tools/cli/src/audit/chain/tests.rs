use proptest::{prelude::*, sample::Index};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use sordino::upload::{AuditHead, AuditRoot, EntryHash};

use super::{Flaw, Log};

/// An entry's line, made by string building from docs/protocol.md, not by the code under test.
fn line(sequence: u64, previous: EntryHash, reader: &str) -> (String, EntryHash) {
    let reader = json!(reader);
    let head = format!("\"previous\":\"{previous}\",\"purpose\":\"quality-assurance\"");
    let tail = format!(
        "\"reader\":{reader},\"sample\":\"{sequence:032x}\",\"sequence\":{sequence},\
         \"week\":\"2026-W48\"}}"
    );
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, format!("{{{head},{tail}").as_bytes()).as_ref());
    let hash = EntryHash::from(bytes);
    (format!("{{\"hash\":\"{hash}\",{head},{tail}\n"), hash)
}

/// A log with an entry for each reader, a line each, and its head.
fn log(readers: &[String]) -> (Vec<String>, AuditHead) {
    let mut head = AuditHead::EMPTY;
    let mut lines = Vec::new();
    for (sequence, reader) in (1..).zip(readers) {
        let (line, hash) = line(sequence, head.hash, reader);
        lines.push(line);
        head = AuditHead {
            entries: sequence,
            hash,
            root: None,
        };
    }
    (lines, head)
}

/// The flaw that `sordino audit verify --head HEAD` finds.
fn verify(text: &[u8], head: &AuditHead) -> Result<(), Flaw> {
    Log::read(text)?.holds(head)
}

fn readers() -> impl Strategy<Value = Vec<String>> {
    // Token names are any printable text: quotes, backslashes and umlauts too.
    proptest::collection::vec("[ -~äß€𝄞]{1,12}", 1..10)
}

proptest! {
    #[test]
    fn a_log_is_valid_for_all_its_earlier_heads(readers in readers()) {
        let (lines, _) = log(&readers);
        let text = lines.concat();
        for length in 0..=readers.len() {
            let (_, head) = log(&readers[..length]);
            prop_assert_eq!(verify(text.as_bytes(), &head), Ok(()));
        }
        let read = Log::read(text.as_bytes()).unwrap();
        prop_assert_eq!(read.head(), log(&readers).1);
    }

    #[test]
    fn a_changed_byte_is_detected_without_a_head(
        readers in readers(), at in any::<Index>(), byte in any::<u8>(),
    ) {
        let mut text = log(&readers).0.concat().into_bytes();
        let at = at.index(text.len());
        prop_assume!(text[at] != byte);
        text[at] = byte;
        prop_assert!(Log::read(&text).is_err());
    }

    #[test]
    fn an_inserted_byte_is_detected_without_a_head(
        readers in readers(), at in any::<Index>(), byte in any::<u8>(),
    ) {
        let mut text = log(&readers).0.concat().into_bytes();
        text.insert(at.index(text.len() + 1), byte);
        prop_assert!(Log::read(&text).is_err());
    }

    #[test]
    fn a_truncated_log_is_detected_with_its_head(readers in readers(), at in any::<Index>()) {
        let (lines, head) = log(&readers);
        let text = lines.concat().into_bytes();
        // A log without its last line feed is complete too.
        let at = at.index(text.len() - 1);
        prop_assert!(verify(&text[..at], &head).is_err());
        prop_assert_eq!(verify(&text[..text.len() - 1], &head), Ok(()));
    }

    #[test]
    fn a_removed_entry_is_detected_at_the_end_with_a_head(
        readers in readers(), at in any::<Index>(), count in 1..4_usize,
    ) {
        let (mut lines, head) = log(&readers);
        let at = at.index(lines.len());
        let end = (at + count).min(lines.len());
        lines.drain(at..end);
        let (text, number) = (lines.concat(), at as u64 + 1);
        let found = verify(text.as_bytes(), &head);
        prop_assert_eq!(found, Err(match end == readers.len() {
            true => Flaw::CutOff { entries: at as u64, head: head.entries },
            false => Flaw::Missing { line: number, found: end as u64 + 1 },
        }));
    }

    #[test]
    fn swapped_or_repeated_entries_are_detected_without_a_head(
        readers in readers(), from in any::<Index>(), to in any::<Index>(),
    ) {
        let (lines, _) = log(&readers);
        let (from, to) = (from.index(lines.len()), to.index(lines.len()));
        if from != to {
            let mut swapped = lines.clone();
            swapped.swap(from, to);
            let line = from.min(to) as u64 + 1;
            let found = from.max(to) as u64 + 1;
            prop_assert_eq!(
                Log::read(swapped.concat().as_bytes()).unwrap_err(),
                Flaw::Missing { line, found }
            );
        }
        let (from, to) = (from.min(to), from.max(to));
        let mut repeated = lines.clone();
        repeated.insert(to + 1, lines[from].clone());
        prop_assert_eq!(
            Log::read(repeated.concat().as_bytes()).unwrap_err(),
            Flaw::Misplaced { line: to as u64 + 2, found: from as u64 + 1 }
        );
    }

    /// A forger who can compute hashes, and rewrites or inserts one entry.
    #[test]
    fn a_forged_entry_with_a_matching_hash_is_detected(
        readers in readers(), at in any::<Index>(), forged in "[a-z]{13}", put_in in any::<bool>(),
    ) {
        let (mut lines, head) = log(&readers);
        let at = at.index(lines.len());
        let before = log(&readers[..at]).1;
        let entry = line(before.entries + 1, before.hash, &forged).0;
        match put_in {
            true => lines.insert(at, entry),
            false => lines[at] = entry,
        }
        prop_assert!(verify(lines.concat().as_bytes(), &head).is_err());
    }

    /// A forger who chains correctly, but numbers an entry so that another seems to be wrong.
    #[test]
    fn a_forged_number_is_detected_without_a_head(readers in readers(), number in 0..20_u64) {
        let (mut lines, head) = log(&readers);
        let expected = head.entries + 1;
        prop_assume!(number != expected);
        lines.push(line(number, head.hash, "forger").0);
        prop_assert_eq!(
            Log::read(lines.concat().as_bytes()).unwrap_err(),
            match number > expected {
                true => Flaw::Missing { line: expected, found: number },
                false => Flaw::Misplaced { line: expected, found: number },
            }
        );
    }

    /// A forger who rewrites all entries from one on: only a head detects it.
    #[test]
    fn a_rewritten_log_is_detected_by_any_later_head(
        readers in readers(), at in any::<Index>(), forged in "[a-z]{13}",
    ) {
        let at = at.index(readers.len());
        let mut others = readers.clone();
        others[at] = forged;
        let text = log(&others).0.concat();
        prop_assert!(Log::read(text.as_bytes()).is_ok());
        for length in 0..=readers.len() {
            let (_, head) = log(&readers[..length]);
            let found = verify(text.as_bytes(), &head);
            prop_assert_eq!(found, match length > at {
                true => Err(Flaw::OtherHead { entry: length as u64 }),
                false => Ok(()),
            });
        }
    }

    #[test]
    fn a_log_keeps_its_earlier_roots_and_a_rewritten_one_does_not(
        readers in readers(), at in any::<Index>(), forged in "[a-z]{13}",
    ) {
        let at = at.index(readers.len());
        let mut others = readers.clone();
        others[at] = forged;
        let [whole, rewritten] = [&readers, &others].map(|readers| {
            Log::read(log(readers).0.concat().as_bytes()).unwrap()
        });
        for length in 0..=readers.len() {
            let first = Log::read(log(&readers[..length]).0.concat().as_bytes()).unwrap();
            let root = first.root();
            prop_assert_eq!(root.entries, length as u64);
            prop_assert_eq!(whole.has_root(&root), Ok(()));
            let expected = match length > at {
                true => Err(Flaw::OtherRoot { entries: length as u64 }),
                false => Ok(()),
            };
            prop_assert_eq!(rewritten.has_root(&root), expected);
        }
        let (entries, head) = (whole.root().entries, u64::MAX);
        let beyond = AuditRoot { entries: head, ..whole.root() };
        prop_assert_eq!(whole.has_root(&beyond), Err(Flaw::CutOff { entries, head }));
        let mut published = log(&readers).1;
        published.root = Some(whole.root().root);
        prop_assert_eq!(whole.holds(&published), Ok(()));
        published.root = Some(rewritten.root().root);
        prop_assert_eq!(whole.holds(&published), Err(Flaw::OtherRoot { entries }));
    }

    #[test]
    fn parsing_any_bytes_does_not_panic(text in any::<Vec<u8>>()) {
        let _ = Log::read(&text);
    }
}

#[test]
fn other_encodings_of_an_entry_are_rejected() {
    let (text, _) = line(1, EntryHash::NONE, "desk");
    let entry = text.trim_end();
    assert!(
        Log::read(entry.as_bytes()).is_ok(),
        "without the last line feed"
    );
    let value: Value = serde_json::from_str(entry).unwrap();
    let twice = entry.replacen('{', "{\"reader\":\"nobody\",", 1);
    let another = entry.replacen('{', "{\"a\":1,", 1);
    for other in [
        format!(" {entry}"),
        format!("{entry}\r"),
        format!("{entry}\n"),
        format!("\n{entry}"),
        format!("[{entry}]"),
        format!("{value:#}").replace('\n', ""),
        entry.replace("desk", "\\u0064esk"),
        entry.replace("\"sequence\":1", "\"sequence\":1.0"),
        twice,
        another,
        "{}".to_owned(),
        "null".to_owned(),
    ] {
        let text = format!("{other}\n");
        assert!(
            matches!(Log::read(text.as_bytes()), Err(Flaw::InvalidEntry { .. })),
            "{other}"
        );
    }
}

#[test]
fn each_error_of_a_log_is_one_line() {
    for (flaw, says) in [
        (
            Flaw::Changed { line: 7 },
            "line 7: the entry was changed: its hash does not fit it",
        ),
        (
            Flaw::Missing { line: 8, found: 9 },
            "line 8: entry 8 is missing here; entry 9 is in its place",
        ),
        (
            Flaw::Missing { line: 8, found: 11 },
            "line 8: entries 8 to 10 are missing here; entry 11 is in their place",
        ),
        (
            Flaw::Misplaced { line: 9, found: 4 },
            "line 9: entry 4 is in the place of entry 9",
        ),
        (
            Flaw::CutOff {
                entries: 12,
                head: 15,
            },
            "the log ends at entry 12, but its head is 15: the last 3 are missing",
        ),
        (
            Flaw::CutOff {
                entries: 12,
                head: 13,
            },
            "the log ends at entry 12, but its head is 13: the last one is missing",
        ),
    ] {
        assert_eq!(flaw.to_string(), says);
    }
}
