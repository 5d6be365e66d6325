//! Decodes samples to f64, full scale at ±1, exactly.

use super::{container::ByteOrder, format::Coding};

/// Decodes a frame of [`Coding::bytes`] per sample.
pub(super) fn decode(coding: Coding, order: ByteOrder, bytes: &[u8], into: &mut [f64]) {
    let samples = bytes.chunks_exact(coding.bytes());
    match coding {
        Coding::Unsigned8 => fill(into, samples, |[byte]| (f64::from(byte) - 128.0) / 128.0),
        Coding::Signed(2) => fill(into, samples, |bytes| signed(order.u16(bytes).into(), 16)),
        Coding::Signed(3) => fill(into, samples, |[a, b, c]| {
            let value = match order {
                ByteOrder::Little => u32::from_le_bytes([a, b, c, 0]),
                ByteOrder::Big => u32::from_be_bytes([0, a, b, c]),
            };
            signed(value, 24)
        }),
        Coding::Signed(_) => fill(into, samples, |bytes| signed(order.u32(bytes), 32)),
        Coding::Float32 => fill(into, samples, |bytes| {
            f32::from_bits(order.u32(bytes)).into()
        }),
        Coding::Float64 => fill(into, samples, |bytes| match order {
            ByteOrder::Little => f64::from_le_bytes(bytes),
            ByteOrder::Big => f64::from_be_bytes(bytes),
        }),
        Coding::ALaw => fill(into, samples, |[byte]| f64::from(a_law(byte)) / 32_768.0),
        Coding::MuLaw => fill(into, samples, |[byte]| f64::from(mu_law(byte)) / 32_768.0),
    }
}

fn fill<'a, const N: usize>(
    into: &mut [f64],
    samples: impl Iterator<Item = &'a [u8]>,
    decode: impl Fn([u8; N]) -> f64,
) {
    for (into, sample) in into.iter_mut().zip(samples) {
        let sample = sample
            .try_into()
            .expect("chunks have the size of the coding");
        *into = decode(sample);
    }
}

/// The lowest `bits` of `value` as a signed integer, scaled to ±1.
fn signed(value: u32, bits: u32) -> f64 {
    let value = (value << (32 - bits)).cast_signed();
    f64::from(value) / f64::from(1_u32 << 31)
}

/// ITU-T G.711, table 1: 13 bits with sign, shifted to the highest of 16.
fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = (byte >> 4 & 7, i16::from(byte & 0xF));
    let magnitude = match segment {
        0 => 2 * step + 1,
        segment => (2 * step + 33) << (segment - 1),
    } << 3;
    if byte & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// ITU-T G.711, table 2: 14 bits with sign, shifted to the highest of 16.
fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let (segment, step) = (byte >> 4 & 7, i16::from(byte & 0xF));
    let magnitude = (((2 * step + 33) << segment) - 33) << 2;
    if byte & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    }
}
