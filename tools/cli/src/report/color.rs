//! The color map `magma` of matplotlib (CC0): its lightness rises evenly, so that equal steps in
//! level look equal, also in print and to most color-blind eyes.

/// Every sixteenth of the map, from quiet to loud.
const STOPS: [[u8; 3]; 17] = [
    [0, 0, 4],
    [10, 8, 34],
    [29, 17, 71],
    [54, 16, 107],
    [81, 18, 124],
    [106, 28, 129],
    [131, 38, 129],
    [156, 46, 127],
    [183, 55, 121],
    [208, 65, 111],
    [231, 82, 99],
    [245, 107, 92],
    [252, 137, 97],
    [254, 167, 114],
    [254, 196, 136],
    [253, 226, 163],
    [252, 253, 191],
];

/// The color at `position`, 0 for quiet to 1 for loud.
pub(super) fn magma(position: f32) -> [u8; 3] {
    let last = STOPS.len() - 1;
    let scaled = position.clamp(0.0, 1.0) * last as f32;
    let below = (scaled as usize).min(last - 1);
    let part = scaled - below as f32;
    std::array::from_fn(|channel| {
        let (from, to) = (STOPS[below][channel], STOPS[below + 1][channel]);
        (f32::from(from) + (f32::from(to) - f32::from(from)) * part).round() as u8
    })
}

/// The map as a CSS gradient, quiet on the left.
pub(super) fn css_gradient() -> String {
    let stops: Vec<String> = STOPS
        .iter()
        .map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}"))
        .collect();
    format!("linear-gradient(to right,{})", stops.join(","))
}
