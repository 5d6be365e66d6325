//! All variants of WAV files that programs write, compared with libsndfile.

use super::{
    libsndfile::Libsndfile,
    read,
    wave::{A_LAW, Chunk, Container, FLOAT, FormatChunk, MU_LAW, PCM, Sizes, Wave},
};

/// Samples with noise in every bit; floats are within ±1.
fn noise(format: &FormatChunk, frames: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 32
    };
    let samples = frames * usize::from(format.channels);
    let unit = |value: u64| value as f64 / f64::from(1_u32 << 31) - 1.0;
    match (format.tag, format.bits) {
        (FLOAT, 64) => (0..samples)
            .flat_map(|_| unit(next()).to_le_bytes())
            .collect(),
        (FLOAT, _) => (0..samples)
            .flat_map(|_| (unit(next()) as f32).to_le_bytes())
            .collect(),
        (_, bits) => {
            let bytes = samples * usize::from(bits.div_ceil(8));
            (0..bytes).map(|_| next() as u8).collect()
        }
    }
}

fn wave(tag: u16, bits: u16, channels: u16) -> Wave {
    let format = FormatChunk::new(tag, bits, channels);
    let sound = noise(&format, 300);
    Wave::new(format, sound)
}

/// The supported codings, by tag and bits.
const CODINGS: [(u16, u16); 12] = [
    (PCM, 8),
    (PCM, 12),
    (PCM, 16),
    (PCM, 18),
    (PCM, 20),
    (PCM, 24),
    (PCM, 28),
    (PCM, 32),
    (FLOAT, 32),
    (FLOAT, 64),
    (A_LAW, 8),
    (MU_LAW, 8),
];

/// Each coding with each form of the format chunk, and each container, chunk layout and declared size with some of
/// them.
fn variants() -> Vec<Wave> {
    let mut variants = Vec::new();
    for (tag, bits) in CODINGS {
        for size in [16, 18, 20, 40] {
            for channels in [1, 2, 5] {
                let mut wave = wave(tag, bits, channels);
                wave.format.size = size;
                variants.push(wave);
            }
        }
        for container in [Container::Rifx, Container::Rf64, Container::W64] {
            let mut wave = wave(tag, bits, 2);
            wave.container = container;
            variants.push(wave);
        }
    }
    for (bits, valid_bits) in [(24, 20), (32, 24), (32, 20), (32, 16), (16, 12), (32, 0)] {
        let mut wave = wave(PCM, bits, 2);
        wave.format.size = 40;
        wave.format.valid_bits = valid_bits;
        variants.push(wave);
    }
    for block in [0, 2] {
        let mut wave = wave(PCM, 16, 1);
        wave.format.block = block;
        variants.push(wave);
    }
    for sizes in [Sizes::Zero, Sizes::Ones, Sizes::Sox, Sizes::Arecord] {
        for container in [Container::Riff, Container::Rifx, Container::Rf64] {
            for before in [vec![], vec![Chunk::new(b"LIST", 26, true)]] {
                let mut wave = wave(PCM, 16, 2);
                (wave.sizes, wave.container, wave.before) = (sizes, container, before);
                variants.push(wave);
            }
        }
    }
    for id in [
        b"LIST", b"bext", b"fact", b"JUNK", b"id3 ", b"cue ", b"abcd",
    ] {
        for length in [4, 7, 12, 603] {
            for is_padded in [true, false] {
                let chunk = Chunk::new(id, length, is_padded);
                for (before, after) in [(1, 0), (0, 1), (2, 2)] {
                    let mut wave = wave(PCM, 16, 1);
                    wave.before = vec![chunk.clone(); before];
                    wave.after = vec![chunk.clone(); after];
                    variants.push(wave);
                }
            }
        }
    }
    for (bits, channels, cut) in [(16, 1, 1), (16, 2, 1), (16, 2, 3), (24, 2, 5), (32, 6, 23)] {
        let mut shorter = wave(PCM, bits, channels);
        shorter.cut = cut;
        variants.push(shorter);
        // An incomplete last frame that the header counts.
        let mut odd = wave(PCM, bits, channels);
        let whole = odd.sound.len();
        odd.sound.truncate(whole - cut);
        variants.push(odd);
    }
    variants
}

#[test]
fn every_variant_is_read_like_libsndfile() {
    let Some(mut libsndfile) = Libsndfile::start() else {
        return;
    };
    for wave in variants() {
        let ours = read(&wave.bytes());
        let ours = ours.unwrap_or_else(|error| panic!("{error}: {}", wave.described()));
        assert!(!ours.samples.is_empty(), "{}", wave.described());
        // libsndfile does not read a size of 0, BW64 files, and some chunks without a pad byte.
        let theirs = libsndfile
            .read(&wave.bytes())
            .filter(|sound| !sound.samples.is_empty())
            .or_else(|| libsndfile.read(&wave.plain().bytes()));
        assert!(Some(&ours) == theirs.as_ref(), "{}", wave.described());
    }
}

#[test]
fn a_bw64_file_is_read_like_an_rf64_file() {
    for (tag, bits) in CODINGS {
        let mut wave = wave(tag, bits, 2);
        wave.container = Container::Rf64;
        let rf64 = read(&wave.bytes()).unwrap();
        wave.container = Container::Bw64;
        assert!(read(&wave.bytes()).unwrap() == rf64);
    }
}

/// Not compared with libsndfile, which reads all of them as integers.
#[test]
fn extensible_formats_in_w64_are_read_as_in_riff() {
    for (tag, bits) in CODINGS {
        let mut wave = wave(tag, bits, 2);
        wave.format.size = 40;
        let riff = read(&wave.bytes()).unwrap();
        wave.container = Container::W64;
        assert!(read(&wave.bytes()).unwrap() == riff);
    }
}

#[test]
fn compressed_codings_are_refused_by_name() {
    for (tag, name) in [
        (0x0002, "Microsoft ADPCM"),
        (0x0011, "IMA ADPCM"),
        (0x0031, "GSM 6.10"),
        (0x0055, "MP3"),
        (0x1234, "0x1234"),
    ] {
        for size in [20, 40] {
            let mut wave = wave(PCM, 16, 1);
            (wave.format.tag, wave.format.size) = (tag, size);
            assert_refused(&wave.bytes(), &[name, "ffmpeg -i"]);
        }
    }
}

#[test]
fn an_inconsistent_header_is_refused() {
    let refused = |change: fn(&mut FormatChunk), words: &[&str]| {
        let mut wave = wave(PCM, 16, 1);
        change(&mut wave.format);
        assert_refused(&wave.bytes(), words);
    };
    refused(
        |format| format.block = 4,
        &["4 bytes per frame", "ffmpeg -i"],
    );
    refused(|format| format.channels = 0, &["no channels"]);
    refused(|format| format.rate = 0, &["0 Hz"]);
    refused(|format| format.rate = u32::MAX, &["4294967295 Hz"]);
    refused(|format| format.bits = 0, &["0 bits"]);
    refused(|format| format.bits = 40, &["40 bits", "ffmpeg -i"]);
    refused(|format| format.size = 14, &["14 bytes"]);
}

#[test]
fn missing_samples_are_an_error() {
    let mut half = wave(PCM, 16, 1);
    half.cut = 300;
    assert_refused(
        &half.bytes(),
        &["truncated", "600 bytes", "300 are there", "ffmpeg -i"],
    );
    let mut two = wave(PCM, 16, 1);
    two.after = vec![Chunk::new(b"LIST", 7, true), Chunk::new(b"data", 8, true)];
    assert_refused(&two.bytes(), &["several `data` chunks"]);
    let mut none = wave(PCM, 16, 1);
    none.sound.clear();
    assert_refused(&none.bytes(), &["no samples"]);
    none.after = vec![Chunk::new(b"LIST", 7, true)];
    assert_refused(&none.bytes(), &["no samples"]);
}

fn assert_refused(bytes: &[u8], words: &[&str]) {
    let line = read(bytes).expect_err("must be refused").to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(
        words.iter().all(|word| line.contains(word)),
        "{line}, not {words:?}"
    );
}
