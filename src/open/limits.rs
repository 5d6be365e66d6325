//! Limits of what is opened. Each is checked before the work that it bounds.
//!
//! A sample comes from an untrusted device, and a few kilobytes can cause hours of parsing or gigabytes of
//! memory. `docs/formats.md` lists the same numbers; the review page has them too.

/// Bytes of a sealed sample; those of a plan's longest clip (30 s) stay below 1 MB.
pub const MAX_SAMPLE_BYTES: u64 = 8 << 20;
/// Bytes of an age header, up to and with the line feed after its MAC: 20 recipients, the most that a plan can name,
/// take 2 kB. The time to parse a header grows with the square of its length.
pub const MAX_HEADER_BYTES: usize = 16 << 10;
/// Recipients in an age header, of any type. Each is tried with each identity.
pub const MAX_STANZAS: usize = 64;
/// Bytes of a manifest: two full lists of notes take 200 kB.
pub const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Bytes of the metadata before the first frame of the sound: STREAMINFO takes 42, and Sordino writes no other.
pub const MAX_FLAC_METADATA_BYTES: usize = 64 << 10;
/// The sample rate of the sound, in Hz; Sordino writes 16 000.
pub const MAX_RATE: u32 = 48_000;
/// The lowest rate that a manifest can state.
pub const MIN_RATE: u32 = 8_000;
/// Seconds of the sound: FLAC packs hours of silence into a few bytes. A plan's longest clip has 30.
pub const MAX_SECONDS: u32 = 120;
