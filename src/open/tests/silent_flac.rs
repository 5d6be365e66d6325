//! A FLAC file of silence, written by hand after RFC 9639.

/// `blocks` blocks of 4096 samples of silence, with a header that states `stated` samples (0: unknown) at `rate` Hz.
pub(super) fn silence(blocks: usize, rate: u32, stated: u64) -> Vec<u8> {
    let mut flac = b"fLaC".to_vec();
    // The last metadata block, STREAMINFO, of 34 bytes.
    flac.extend([0x80, 0, 0, 34]);
    flac.extend([0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    // 20 bits of the rate, 3 of the channels less one, 5 of the bits less one, 36 of the length; then no MD5.
    let fields = u64::from(rate) << 44 | 15 << 36 | stated;
    flac.extend(fields.to_be_bytes());
    flac.extend([0; 16]);
    for number in 0..blocks as u32 {
        let mut frame = vec![0xff, 0xf8, 0xc5, 0x08];
        let mut text = [0; 4];
        let number = char::from_u32(number).unwrap().encode_utf8(&mut text);
        frame.extend(number.as_bytes());
        frame.push(crc8(&frame));
        // A constant subframe of zeros.
        frame.extend([0, 0, 0]);
        frame.extend(crc16(&frame).to_be_bytes());
        flac.extend(frame);
    }
    flac
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| (crc << 1) ^ (0x07 * (crc >> 7)))
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            (crc << 1) ^ (0x8005 * (crc >> 15))
        })
    })
}
