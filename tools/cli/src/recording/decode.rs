//! Decodes recordings with symphonia, as mono.

use std::io::ErrorKind;

use sordino::capture::{Downmixer, Recording, max_recording_samples};
use symphonia::core::{
    codecs::audio::{AudioCodecId, AudioDecoderOptions, well_known as id},
    errors::Error,
    formats::{FormatOptions, TrackType, probe::Hint},
    io::{MediaSource, MediaSourceStream},
    meta::MetadataOptions,
};

use super::kind::Kind;

/// The recording cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("it is {0}, which cannot be read; {CONVERT}")]
    Foreign(&'static str),
    #[error("there is no sound in it")]
    NoSound,
    #[error("its sound is {0}, which cannot be read; {CONVERT}")]
    Coding(String),
    #[error(
        "it is truncated or damaged after {seconds:.1} s: {reason}; {CONVERT}, which keeps what it can read"
    )]
    Damaged { seconds: f64, reason: String },
    #[error("its rate or its channels change after {0:.1} s; {CONVERT}")]
    Changes(f64),
    #[error("sample {0} is not a finite number; export the file again")]
    NonFinite(usize),
    #[error("it lasts longer than {0} s, more than can be read at once, so cut it into parts")]
    TooLong(u64),
    #[error("there is not enough memory to read it; cut it into parts")]
    Memory,
    #[error("there is not one sample in it")]
    Empty,
}

const CONVERT: &str = "convert it: `ffmpeg -i IN -c:a pcm_s16le OUT.wav`";

/// The highest rate; the SDK rejects recordings at higher rates.
const MAX_RATE: u32 = 384_000;

/// Decodes the first audio track.
pub(super) fn decode(source: Box<dyn MediaSource>, kind: Kind) -> Result<Recording, DecodeError> {
    let mut hint = Hint::new();
    match kind {
        Kind::Foreign(name) => return Err(DecodeError::Foreign(name)),
        Kind::Wav => return Err(DecodeError::Coding("WAV".to_owned())),
        Kind::Flac => hint.with_extension("flac"),
        Kind::Mp3 => hint.with_extension("mp3"),
        Kind::Adts => hint.with_extension("aac"),
        Kind::Ogg => hint.with_extension("ogg"),
        Kind::Mp4 => hint.with_extension("m4a"),
        Kind::Aiff => hint.with_extension("aiff"),
        Kind::Caf => hint.with_extension("caf"),
    };
    let mut mono = None;
    let damaged = |mono: &Option<Mono>, error: &dyn std::fmt::Display| DecodeError::Damaged {
        seconds: mono.as_ref().map_or(0.0, Mono::seconds),
        reason: error.to_string(),
    };
    let stream = MediaSourceStream::new(source, Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(
            &hint,
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| damaged(&mono, &error))?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or(DecodeError::NoSound)?;
    let track_id = track.id;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or(DecodeError::NoSound)?;
    let codec = parameters.codec;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| match error {
            Error::Unsupported(_) => DecodeError::Coding(name_of(codec)),
            error => damaged(&mono, &error),
        })?;
    let mut interleaved: Vec<f32> = Vec::new();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A stream without a declared length may end with a truncated frame.
            Err(Error::IoError(error))
                if error.kind() == ErrorKind::UnexpectedEof
                    && matches!(kind, Kind::Mp3 | Kind::Adts) =>
            {
                break;
            }
            Err(Error::ResetRequired) => {
                return Err(DecodeError::Changes(
                    mono.as_ref().map_or(0.0, Mono::seconds),
                ));
            }
            Err(error) => return Err(damaged(&mono, &error)),
        };
        if packet.track_id != track_id {
            continue;
        }
        let sound = decoder
            .decode(&packet)
            .map_err(|error| damaged(&mono, &error))?;
        if sound.frames() == 0 {
            continue;
        }
        let (rate, channels) = (sound.spec().rate(), sound.spec().channels().count());
        let mono = mono.get_or_insert_with(|| Mono::new(rate, channels));
        if (mono.rate, mono.channels) != (rate, channels) {
            return Err(DecodeError::Changes(mono.seconds()));
        }
        sound.copy_to_vec_interleaved(&mut interleaved);
        mono.take(&interleaved)?;
    }
    mono.ok_or(DecodeError::Empty)?.finish()
}

/// Mixes decoded sound to mono. The first second is buffered to detect channels that cancel.
struct Mono {
    rate: u32,
    channels: usize,
    downmixer: Downmixer,
    /// Samples that are not mixed yet.
    beginning: Option<Vec<f32>>,
    samples: Vec<f32>,
}

impl Mono {
    fn new(rate: u32, channels: usize) -> Self {
        Self {
            rate,
            channels,
            downmixer: Downmixer::new(rate, u16::try_from(channels).unwrap_or(u16::MAX)),
            beginning: Some(Vec::new()),
            samples: Vec::new(),
        }
    }

    fn take(&mut self, interleaved: &[f32]) -> Result<(), DecodeError> {
        let Some(beginning) = &mut self.beginning else {
            return self.mix(interleaved);
        };
        beginning.extend_from_slice(interleaved);
        match beginning.len() >= self.rate.min(MAX_RATE) as usize * self.channels {
            true => self.mix_beginning(),
            false => Ok(()),
        }
    }

    fn mix_beginning(&mut self) -> Result<(), DecodeError> {
        let beginning = self.beginning.take().unwrap_or_default();
        self.downmixer.prime(&beginning);
        self.downmixer.finish_priming();
        self.mix(&beginning)
    }

    fn mix(&mut self, interleaved: &[f32]) -> Result<(), DecodeError> {
        let frames = interleaved.chunks_exact(self.channels);
        let limit = max_recording_samples(self.rate);
        if (self.samples.len() + frames.len()) as u64 > limit {
            return Err(DecodeError::TooLong(limit / u64::from(self.rate.max(1))));
        }
        self.samples
            .try_reserve(frames.len())
            .map_err(|_| DecodeError::Memory)?;
        for frame in frames {
            let mut non_finite = 0;
            let sample = self.downmixer.mix(frame, &mut non_finite);
            if non_finite > 0 {
                return Err(DecodeError::NonFinite(self.samples.len()));
            }
            self.samples.push(sample);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Recording, DecodeError> {
        self.mix_beginning()?;
        Ok(Recording {
            samples: self.samples,
            rate: self.rate,
        })
    }

    fn seconds(&self) -> f64 {
        let waiting = self.beginning.as_ref().map_or(0, Vec::len) / self.channels.max(1);
        (self.samples.len() + waiting) as f64 / f64::from(self.rate.max(1))
    }
}

/// The common name of an unsupported codec.
fn name_of(codec: AudioCodecId) -> String {
    let name = match codec {
        id::CODEC_ID_OPUS => "Opus",
        id::CODEC_ID_SPEEX => "Speex",
        id::CODEC_ID_AC3 => "AC-3",
        id::CODEC_ID_EAC3 => "E-AC-3",
        id::CODEC_ID_MP1 | id::CODEC_ID_MP2 => "MPEG audio of layer 1 or 2",
        _ => return format!("of a coding that is not known here ({codec})"),
    };
    name.to_owned()
}
