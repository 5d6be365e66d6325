//! The output of the published model for a synthetic signal: `signal` is a port of `voice_like` in
//! `models/silero/export.py`.

use serde::Deserialize;

use super::config::FRAME;

#[derive(Deserialize)]
pub(crate) struct Reference {
    pub(crate) probabilities: Vec<f32>,
}

impl Reference {
    pub(crate) fn read() -> Self {
        serde_json::from_str(include_str!("../../../models/silero/reference.json")).expect("JSON")
    }

    /// A pulse train of gliding pitch through three resonances, in syllables, then noise.
    pub(crate) fn signal(&self) -> Vec<f32> {
        const RADIUS: f64 = 0.985;
        let mut noise = Noise(1);
        let mut phase = 0.0;
        let mut states = [[0.0; 2]; 3];
        let mut out: Vec<f64> = (0..self.probabilities.len() * FRAME)
            .map(|index| {
                let t = index as f64 / 16_000.0;
                let hiss = noise.next();
                phase += (120.0 + 40.0 * triangle(t * 0.7)) / 16_000.0;
                let mut pulse = 0.0;
                if phase >= 1.0 {
                    phase -= 1.0;
                    pulse = 1.0;
                }
                let voiced = triangle(t * 3.1) > -0.3;
                let mut x = if voiced { pulse } else { 0.0 } + 0.02 * hiss;
                let formants = [
                    500.0 + 250.0 * triangle(t * 1.3),
                    1_500.0 + 600.0 * triangle(t * 0.9),
                    2_600.0,
                ];
                for (state, hz) in states.iter_mut().zip(formants) {
                    let a: f64 = std::f64::consts::TAU * hz / 16_000.0;
                    let c = 1.0 - a.powi(2) / 2.0 + a.powi(4) / 24.0 - a.powi(6) / 720.0
                        + a.powi(8) / 40_320.0;
                    let y = x * 0.1 + 2.0 * RADIUS * c * state[0] - RADIUS * RADIUS * state[1];
                    *state = [y, state[0]];
                    x = y;
                }
                if t > 3.2 { 0.0 } else { x }
            })
            .collect();
        let peak = out.iter().fold(0.0, |peak: f64, x| peak.max(x.abs()));
        let mut noise = Noise(7);
        for x in &mut out {
            *x = *x / peak * 0.5 + 0.003 * noise.next();
        }
        out.into_iter().map(|x| x as f32).collect()
    }
}

/// The linear congruential generator of Numerical Recipes, scaled to ±1.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0) / 2f64.powi(31) - 1.0
    }
}

/// A triangle wave of period 1 between -1 and 1.
fn triangle(cycles: f64) -> f64 {
    4.0 * (cycles % 1.0 - 0.5).abs() - 1.0
}
