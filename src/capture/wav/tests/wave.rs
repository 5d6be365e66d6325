//! Builds WAV files as various programs write them.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Container {
    Riff,
    Rifx,
    Rf64,
    Bw64,
    W64,
}

/// The sizes that a writer declares for the container and the samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sizes {
    Right,
    /// As a writer to a pipe, which cannot seek back.
    Zero,
    Ones,
    Sox,
    Arecord,
}

#[derive(Clone, Debug)]
pub(super) struct FormatChunk {
    pub(super) tag: u16,
    pub(super) channels: u16,
    pub(super) rate: u32,
    pub(super) bits: u16,
    pub(super) block: u16,
    /// Usually 16, 18, 20 or 40; with 40 it is `WAVEFORMATEXTENSIBLE`.
    pub(super) size: usize,
    pub(super) valid_bits: u16,
}

#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) id: [u8; 4],
    pub(super) content: Vec<u8>,
    /// Whether an odd length is padded, as the format requires.
    pub(super) is_padded: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Wave {
    pub(super) container: Container,
    pub(super) format: FormatChunk,
    pub(super) before: Vec<Chunk>,
    pub(super) after: Vec<Chunk>,
    pub(super) sizes: Sizes,
    pub(super) sound: Vec<u8>,
    /// Bytes that are missing at the end of the file.
    pub(super) cut: usize,
}

pub(super) const PCM: u16 = 1;
pub(super) const FLOAT: u16 = 3;
pub(super) const A_LAW: u16 = 6;
pub(super) const MU_LAW: u16 = 7;

impl FormatChunk {
    pub(super) fn new(tag: u16, bits: u16, channels: u16) -> Self {
        Self {
            tag,
            channels,
            rate: 8_000,
            bits,
            block: bits.div_ceil(8) * channels,
            size: 16,
            valid_bits: bits,
        }
    }

    fn bytes(&self, is_big: bool) -> Vec<u8> {
        let extensible = self.size == 40;
        let mut bytes = Vec::new();
        let short = |value: u16| match is_big {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let long = |value: u32| match is_big {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        bytes.extend(short(if extensible { 0xFFFE } else { self.tag }));
        bytes.extend(short(self.channels));
        bytes.extend(long(self.rate));
        bytes.extend(long(self.rate.wrapping_mul(self.block.into())));
        bytes.extend(short(self.block));
        bytes.extend(short(self.bits));
        if extensible {
            bytes.extend(short(22));
            bytes.extend(short(self.valid_bits));
            bytes.extend(long(0));
            bytes.extend(long(self.tag.into()));
            bytes.extend(short(0));
            bytes.extend(short(0x10));
            bytes.extend([0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        } else if self.size > 16 {
            bytes.extend(short(self.size.saturating_sub(18) as u16));
        }
        bytes.resize(self.size, 0);
        bytes
    }
}

impl Chunk {
    pub(super) fn new(id: &[u8; 4], length: usize, is_padded: bool) -> Self {
        let mut content = vec![0; length];
        if id == b"LIST" && length >= 4 {
            content[..4].copy_from_slice(b"INFO");
        }
        Self {
            id: *id,
            content,
            is_padded,
        }
    }
}

impl Wave {
    pub(super) fn new(format: FormatChunk, sound: Vec<u8>) -> Self {
        Self {
            container: Container::Riff,
            format,
            before: Vec::new(),
            after: Vec::new(),
            sizes: Sizes::Right,
            sound,
            cut: 0,
        }
    }

    /// A description without the samples.
    pub(super) fn described(&self) -> String {
        let bytes = self.sound.len();
        let wave = Self {
            sound: Vec::new(),
            ..self.clone()
        };
        format!("{wave:?} with {bytes} bytes of samples")
    }

    /// The same samples, as far as they are present, in the simplest form of file.
    pub(super) fn plain(&self) -> Self {
        let after: usize = self.after.iter().map(|chunk| self.chunk(chunk).len()).sum();
        let cut = self.cut.saturating_sub(after);
        let mut sound = self.sound[..self.sound.len().saturating_sub(cut)].to_vec();
        let format = self.format.clone();
        let sample = usize::from(format.bits.div_ceil(8)).max(1);
        if self.container == Container::Rifx {
            sound.chunks_mut(sample).for_each(<[u8]>::reverse);
        }
        if matches!(self.sizes, Sizes::Right) && self.cut == 0 {
            return Self::new(format, sound);
        }
        // Without a declared size the samples end with the file.
        for chunk in &self.after {
            sound.extend(self.chunk(chunk));
        }
        Self::new(format, sound)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = match self.container {
            Container::W64 => self.w64(),
            _ => self.riff(),
        };
        bytes.truncate(bytes.len() - self.cut.min(bytes.len()));
        bytes
    }

    fn is_big(&self) -> bool {
        self.container == Container::Rifx
    }

    fn long(&self, value: u32) -> [u8; 4] {
        match self.is_big() {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        }
    }

    fn size(&self, real: usize) -> u32 {
        match self.sizes {
            Sizes::Right if matches!(self.container, Container::Rf64 | Container::Bw64) => u32::MAX,
            Sizes::Right => real as u32,
            Sizes::Zero => 0,
            Sizes::Ones => u32::MAX,
            Sizes::Sox => 0x7FFF_F000,
            Sizes::Arecord => 0x8000_0000,
        }
    }

    fn chunk(&self, chunk: &Chunk) -> Vec<u8> {
        let length = self.long(chunk.content.len() as u32);
        let mut bytes = [&chunk.id, &length[..], &chunk.content].concat();
        if chunk.is_padded && chunk.content.len() % 2 == 1 {
            bytes.push(0);
        }
        bytes
    }

    fn riff(&self) -> Vec<u8> {
        let mut body = b"WAVE".to_vec();
        let is_long = matches!(self.container, Container::Rf64 | Container::Bw64);
        if is_long {
            let mut sizes = Chunk::new(b"ds64", 28, true);
            let length = match self.sizes {
                Sizes::Right => self.sound.len() as u64,
                _ => 0,
            };
            sizes.content[8..16].copy_from_slice(&length.to_le_bytes());
            body.extend(self.chunk(&sizes));
        }
        let format = Chunk {
            id: *b"fmt ",
            content: self.format.bytes(self.is_big()),
            is_padded: true,
        };
        body.extend(self.chunk(&format));
        for chunk in &self.before {
            body.extend(self.chunk(chunk));
        }
        body.extend(b"data");
        body.extend(self.long(self.size(self.sound.len())));
        body.extend(&self.sound);
        if self.sizes == Sizes::Right && self.sound.len() % 2 == 1 && !self.after.is_empty() {
            body.push(0);
        }
        for chunk in &self.after {
            body.extend(self.chunk(chunk));
        }
        let magic: &[u8] = match self.container {
            Container::Rifx => b"RIFX",
            Container::Rf64 => b"RF64",
            Container::Bw64 => b"BW64",
            _ => b"RIFF",
        };
        [magic, &self.long(self.size(body.len())), &body].concat()
    }

    fn w64(&self) -> Vec<u8> {
        const RIFF: [u8; 12] = [
            0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0, 0,
        ];
        const REST: [u8; 12] = [
            0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A,
        ];
        let chunk = |id: &[u8; 4], content: &[u8]| {
            let size = content.len() as u64 + 24;
            let mut bytes = [&id[..], &REST, &size.to_le_bytes(), content].concat();
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes
        };
        let mut body = [b"wave".as_slice(), &REST].concat();
        body.extend(chunk(b"fmt ", &self.format.bytes(false)));
        for extra in &self.before {
            body.extend(chunk(&extra.id, &extra.content));
        }
        let mut sound = chunk(b"data", &self.sound);
        if self.after.is_empty() {
            sound.truncate(24 + self.sound.len());
        }
        body.extend(sound);
        for extra in &self.after {
            body.extend(chunk(&extra.id, &extra.content));
        }
        let size = body.len() as u64 + 24;
        [b"riff".as_slice(), &RIFF, &size.to_le_bytes(), &body].concat()
    }
}
