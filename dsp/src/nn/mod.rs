//! What both networks are made of: a file of weights, layers, curves. Plain arithmetic in f32, no
//! runtime, nothing allocated on the way.

mod activation;
mod file;
mod layer;

pub(super) use self::{
    activation::{sigmoid, tanh},
    file::{Values, WeightsError},
    layer::{COLUMNS, Layer},
};

/// Nothing below zero. `max` would make a zero of NaN, and so silence of what cannot be judged.
pub(super) fn rectified(value: f32) -> f32 {
    if value < 0.0 { 0.0 } else { value }
}

/// The same for all of `values`.
pub(super) fn rectify(values: &mut [f32]) {
    values
        .iter_mut()
        .for_each(|value| *value = rectified(*value));
}
