//! The building blocks of both networks: a reader of weight files, linear layers and activations.
//!
//! Plain f32 arithmetic without a runtime; inference does not allocate. A convolution is a linear layer over its taps.

mod activation;
mod linear;
mod weights;

pub(crate) use self::{
    activation::{relu, relu_in_place, sigmoid, tanh},
    linear::{COLUMNS, Linear},
    weights::{WeightReader, WeightsError},
};
