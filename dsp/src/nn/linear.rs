//! A linear layer: the product of a matrix with input columns, plus a bias.
//!
//! The weights are stored in tiles of eight outputs, in the order in which the product reads them.

/// The outputs that are computed together; with four columns, the partial sums fill the registers of SSE2.
const TILE: usize = 8;
/// The input columns that share one read of the weights.
pub(crate) const COLUMNS: usize = 4;

/// A matrix and a bias.
pub(crate) struct Linear {
    /// `outputs / TILE` blocks of `inputs` rows.
    weights: Vec<[f32; TILE]>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Linear {
    /// From a row-major matrix with a row for each input and a column for each output. `None` if the matrix does not
    /// match `bias`, or the outputs are not a multiple of the tile size.
    pub(crate) fn new(matrix: &[f32], bias: Vec<f32>) -> Option<Self> {
        let outputs = bias.len();
        let fits = outputs.is_multiple_of(TILE) && matrix.len().is_multiple_of(outputs);
        if !fits || matrix.is_empty() {
            return None;
        }
        let inputs = matrix.len() / outputs;
        let rows = matrix
            .chunks_exact(outputs)
            .map(|row| row.as_chunks::<TILE>().0);
        let rows: Vec<&[[f32; TILE]]> = rows.collect();
        let weights = (0..outputs / TILE)
            .flat_map(|tile| rows.iter().map(move |row| row[tile]))
            .collect();
        Some(Self {
            weights,
            bias,
            inputs,
        })
    }

    /// Computes matrix × column + bias for the first `inputs` elements of each column, into the row of `out` with the
    /// same index.
    pub(crate) fn forward<const OUTPUTS: usize>(
        &self,
        columns: [&[f32]; COLUMNS],
        out: &mut [[f32; OUTPUTS]],
    ) {
        let columns = columns.map(|column| &column[..self.inputs]);
        let tiles = self.weights.chunks_exact(self.inputs);
        for (tile, (weights, bias)) in tiles.zip(self.bias.as_chunks::<TILE>().0).enumerate() {
            let sums = tile_of_four(weights, columns, bias);
            for (row, sum) in out.iter_mut().zip(&sums) {
                row[tile * TILE..][..TILE].copy_from_slice(sum);
            }
        }
    }

    /// Adds matrix × `column` to `out`, without the bias. The number of inputs is a multiple of four.
    pub(crate) fn accumulate(&self, column: &[f32], out: &mut [f32]) {
        let column = column[..self.inputs].as_chunks::<COLUMNS>().0;
        let tiles = self.weights.chunks_exact(self.inputs);
        for (weights, out) in tiles.zip(out.as_chunks_mut::<TILE>().0) {
            let sums = tile_of_one(weights.as_chunks().0, column);
            for lane in 0..TILE {
                out[lane] += (sums[0][lane] + sums[1][lane]) + (sums[2][lane] + sums[3][lane]);
            }
        }
    }
}

/// One tile of outputs for four columns.
#[inline(always)]
fn tile_of_four(
    weights: &[[f32; TILE]],
    columns: [&[f32]; COLUMNS],
    bias: &[f32; TILE],
) -> [[f32; TILE]; COLUMNS] {
    let mut sums = [*bias; COLUMNS];
    let [a, b, c, d] = columns;
    for ((((weights, &a), &b), &c), &d) in weights.iter().zip(a).zip(b).zip(c).zip(d) {
        for (sum, value) in sums.iter_mut().zip([a, b, c, d]) {
            for lane in 0..TILE {
                sum[lane] = multiply_add(weights[lane], value, sum[lane]);
            }
        }
    }
    sums
}

/// One tile of outputs for one column, as four partial sums, so that no addition waits for the previous one.
#[inline(always)]
fn tile_of_one(
    weights: &[[[f32; TILE]; COLUMNS]],
    column: &[[f32; COLUMNS]],
) -> [[f32; TILE]; COLUMNS] {
    let mut sums = [[0.0; TILE]; COLUMNS];
    for (weights, values) in weights.iter().zip(column) {
        for part in 0..COLUMNS {
            for lane in 0..TILE {
                sums[part][lane] =
                    multiply_add(weights[part][lane], values[part], sums[part][lane]);
            }
        }
    }
    sums
}

/// `a × b + c`: fused if the target has the instruction; elsewhere `mul_add` is a slow library call.
#[inline(always)]
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}
