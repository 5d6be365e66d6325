//! Spectrograms and waveforms.
//!
//! A spectrogram has time to the right and frequency upwards in octaves, as ears have it. A row
//! shows the strongest part of its band: of short windows (80 ms, Hann), padded so that low rows
//! are smooth.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use realfft::RealFftPlanner;

use super::{color::magma, sound::Sound, timeline::Timeline};

/// Pixels from left to right.
pub(super) const COLUMNS: usize = 800;
/// Pixels from top to bottom.
pub(super) const ROWS: usize = 168;
/// Frequency at the lower edge, in Hz: below it is rumble.
pub(super) const LOWEST: f64 = 50.0;
/// Frequency at the upper edge, in Hz: half a sample's rate.
pub(super) const HIGHEST: f64 = 8_000.0;
/// Anything further below the loudest than this is black, in dB.
pub(super) const RANGE: f32 = 70.0;
/// The quietest loudest, in dB below a tone at full scale: a silent room shall look silent.
const QUIETEST: f32 = 30.0;

/// Colors; few enough that noise packs well, more than an eye can part.
const LEVELS: u8 = 64;
/// The color of times that hold no sound: none.
const NOTHING: u8 = LEVELS;
/// Length of a window, in seconds.
const WINDOW: f64 = 0.08;
/// Length of a window with its padding, in windows.
const PADDING: usize = 3;

/// The position of `hz`: 0 at the upper edge, 1 at the lower one.
pub(super) fn height_of(hz: f64) -> f64 {
    1.0 - (hz / LOWEST).ln() / (HIGHEST / LOWEST).ln()
}

/// A PNG of `sound` over `seconds` of the input's time.
pub(super) fn spectrogram(
    sound: &Sound,
    timeline: &Timeline,
    seconds: f64,
) -> Result<Vec<u8>, String> {
    let levels = levels(sound, timeline, seconds)?;
    // A tone at full scale gives half the window's sum; a Hann window's sum is half its length.
    let full_scale = 20.0 * (sound.rate as f32 * WINDOW as f32 / 4.0).log10();
    let floor = full_scale - QUIETEST;
    let loudest = levels.iter().flatten().copied().fold(floor, f32::max);
    let mut pixels = vec![NOTHING; COLUMNS * ROWS];
    for (column, rows) in levels.chunks(ROWS).enumerate() {
        for (row, level) in rows.iter().enumerate() {
            if let Some(level) = level {
                let position = 1.0 - (loudest - level) / RANGE;
                pixels[row * COLUMNS + column] =
                    (position.clamp(0.0, 1.0) * f32::from(LEVELS - 1)).round() as u8;
            }
        }
    }
    encode(&pixels).map_err(|error| error.to_string())
}

/// A picture as a `data:` URI.
pub(super) fn data_uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64.encode(png))
}

/// Levels in dB, column by column from the top; none where the timeline has a gap.
fn levels(sound: &Sound, timeline: &Timeline, seconds: f64) -> Result<Vec<Option<f32>>, String> {
    let rate = f64::from(sound.rate);
    let window: Vec<f32> = hann((WINDOW * rate) as usize);
    let length = (window.len() * PADDING).next_power_of_two().max(16);
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(length);
    let mut input = transform.make_input_vec();
    let mut spectrum = transform.make_output_vec();
    let bands: Vec<Option<Band>> = (0..ROWS)
        .map(|row| Band::of_row(row, rate / length as f64, spectrum.len()))
        .collect();
    let mut levels = vec![None; COLUMNS * ROWS];
    for (column, levels) in levels.chunks_mut(ROWS).enumerate() {
        let shown = (column as f64 + 0.5) / COLUMNS as f64 * seconds;
        let Some(heard) = timeline.heard_at(shown) else {
            continue;
        };
        let begin = (heard * rate) as isize - window.len() as isize / 2;
        input.fill(0.0);
        for (offset, (value, weight)) in input.iter_mut().zip(&window).enumerate() {
            let sample = usize::try_from(begin + offset as isize)
                .ok()
                .and_then(|index| sound.samples.get(index));
            *value = sample.copied().unwrap_or(0.0) * weight;
        }
        transform
            .process(&mut input, &mut spectrum)
            .map_err(|error| error.to_string())?;
        for (level, band) in levels.iter_mut().zip(&bands) {
            let power = band
                .as_ref()
                .map_or(0.0, |band| band.power(|bin| spectrum[bin].norm_sqr()));
            // 1e-12 keeps the logarithm finite, far below what 16 bits can hold.
            *level = Some(10.0 * (power + 1e-12).log10());
        }
    }
    Ok(levels)
}

/// The bins that a row shows.
struct Band {
    /// The row's middle, in bins.
    middle: f64,
    /// Whole bins between its edges.
    first: usize,
    last: usize,
}

impl Band {
    fn of_row(row: usize, bin_hz: f64, bins: usize) -> Option<Self> {
        let octaves = (HIGHEST / LOWEST).ln();
        let hz = |position: f64| LOWEST * ((1.0 - position / ROWS as f64) * octaves).exp();
        let middle = hz(row as f64 + 0.5) / bin_hz;
        let first = (hz(row as f64 + 1.0) / bin_hz).ceil() as usize;
        let last = (hz(row as f64) / bin_hz).floor() as usize;
        (middle.ceil() as usize + 1 < bins && last < bins).then_some(Self {
            middle,
            first,
            last,
        })
    }

    /// The strongest whole bin in the band; between two bins, where the band holds none.
    fn power(&self, of_bin: impl Fn(usize) -> f32) -> f32 {
        if self.first <= self.last {
            return (self.first..=self.last).map(of_bin).fold(0.0, f32::max);
        }
        let below = self.middle.floor();
        let part = (self.middle - below) as f32;
        of_bin(below as usize) * (1.0 - part) + of_bin(below as usize + 1) * part
    }
}

fn hann(length: usize) -> Vec<f32> {
    let length = length.max(4);
    (0..length)
        .map(|index| {
            let phase = (index as f32 + 0.5) / length as f32 * std::f32::consts::TAU;
            0.5 - 0.5 * phase.cos()
        })
        .collect()
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let palette: Vec<u8> = (0..LEVELS)
        .flat_map(|level| magma(f32::from(level) / f32::from(LEVELS - 1)))
        .chain([0, 0, 0])
        .collect();
    let mut opacity = vec![255; usize::from(LEVELS)];
    opacity.push(0);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, COLUMNS as u32, ROWS as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_trns(opacity);
    // Filters help smooth pictures; on indices of noise they cost.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

/// A peak below this fills only a part of the waveform's height.
const QUIETEST_PEAK: f32 = 0.05;
/// Columns of a waveform: a drawing's resolution is plenty.
const WAVE_COLUMNS: usize = 400;

/// A waveform as the `d` of an SVG path in a view box of 400 by 100, loudest at the edges; one
/// closed outline a stretch of sound.
pub(super) fn waveform(sound: &Sound, timeline: &Timeline, seconds: f64) -> String {
    let peak = sound
        .samples
        .iter()
        .fold(QUIETEST_PEAK, |peak, sample| peak.max(sample.abs()));
    let width = seconds / WAVE_COLUMNS as f64;
    let extremes = |column: usize| -> Option<(f32, f32)> {
        let heard = timeline.heard_at((column as f64 + 0.5) * width)?;
        let index = |time: f64| (time.max(0.0) * f64::from(sound.rate)) as usize;
        let end = index(heard + width / 2.0).min(sound.samples.len());
        let begin = index(heard - width / 2.0).min(end);
        let samples = sound.samples.get(begin..end)?;
        let low = samples.iter().copied().fold(0.0, f32::min);
        let high = samples.iter().copied().fold(0.0, f32::max);
        Some((low / peak, high / peak))
    };
    let columns: Vec<Option<(f32, f32)>> = (0..WAVE_COLUMNS).map(extremes).collect();
    let mut path = String::new();
    let mut begin = 0;
    while begin < WAVE_COLUMNS {
        let run: Vec<(f32, f32)> = columns[begin..]
            .iter()
            .map_while(|column| *column)
            .collect();
        let point = |offset: usize, value: f32| {
            // At least half a unit to each side, so that silence is a line.
            format!("{} {:.0}", begin + offset, 50.0 - 48.0 * value)
        };
        for (offset, (_, high)) in run.iter().enumerate() {
            let command = if offset == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{}", point(offset, high.max(0.01)));
        }
        for (offset, (low, _)) in run.iter().enumerate().rev() {
            let _ = write!(path, "L{}", point(offset, low.min(-0.01)));
        }
        if !run.is_empty() {
            path.push('Z');
        }
        begin += run.len().max(1);
    }
    path
}
