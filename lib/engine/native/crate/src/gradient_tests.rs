//! Compares every kind of block's backward pass with central differences of a naive double-precision forward pass.

use crate::dims::{Dims, Mixer};
use crate::kernel_tests::{Numbers, test_at_every_level};
use crate::net::{self, LayerGradients, LayerWeights, PARTS, Part, Scratch, Tape};
use crate::pointwise::Sum;
use crate::simd::{Element, Level};

test_at_every_level! { token_mixer attention_with_rotary_positions attention_without_positions }

const SAMPLES: usize = 3;
const POSITIONS: usize = 5;
const HIDDEN: usize = 12;
const TOKEN_INNER: usize = 7;
const CHANNEL_INNER: usize = 9;

/// A block's four weights in the reference's order and shapes.
type Block = [Vec<f64>; 4];

/// Each row of `x` divided by its root mean square.
fn norm(x: &mut [f64], width: usize) {
    for row in x.chunks_exact_mut(width) {
        let inverse = 1.0 / (row.iter().map(|x| x * x).sum::<f64>() / width as f64 + 1e-5).sqrt();
        row.iter_mut().for_each(|x| *x *= inverse);
    }
}

/// x [rows × width]·Wᵀ, W [outputs × width].
fn linear(x: &[f64], weight: &[f64], width: usize) -> Vec<f64> {
    x.chunks_exact(width)
        .flat_map(|x| weight.chunks_exact(width).map(|w| x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>()))
        .collect()
}

fn swiglu(x: &[f64], gate_up: &[f64], down: &[f64], width: usize, inner: usize) -> Vec<f64> {
    let both = linear(x, gate_up, width);
    let activated: Vec<f64> = both
        .chunks_exact(2 * inner)
        .flat_map(|row| (0..inner).map(|i| row[i] / (1.0 + (-row[i]).exp()) * row[inner + i]))
        .collect();
    linear(&activated, down, inner)
}

fn transposed(x: &[f64], columns: usize) -> Vec<f64> {
    let rows = x.len() / columns;
    (0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect()
}

fn attention(h: &[f64], qkv: &[f64], out: &[f64], heads: usize, rotary: bool) -> Vec<f64> {
    let (size, mut qkv) = (HIDDEN / heads, linear(h, qkv, HIDDEN));
    if rotary {
        for (position, row) in qkv.chunks_exact_mut(3 * HIDDEN).enumerate() {
            for head in row[..2 * HIDDEN].chunks_exact_mut(size) {
                for j in 0..size / 2 {
                    let angle = position as f64 / 10000f64.powf(2.0 * j as f64 / size as f64);
                    let (a, b) = (head[j], head[j + size / 2]);
                    (head[j], head[j + size / 2]) =
                        (a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin());
                }
            }
        }
    }
    let part =
        |position: usize, kind: usize, head: usize| &qkv[position * 3 * HIDDEN + kind * HIDDEN + head * size..][..size];
    let mut mixed = vec![0.0; POSITIONS * HIDDEN];
    for head in 0..heads {
        for query in 0..POSITIONS {
            let score = |key: usize| {
                part(query, 0, head).iter().zip(part(key, 1, head)).map(|(q, k)| q * k).sum::<f64>()
                    / (size as f64).sqrt()
            };
            let weights: Vec<f64> = (0..POSITIONS).map(|key| score(key).exp()).collect();
            let total: f64 = weights.iter().sum();
            for (key, weight) in weights.iter().enumerate() {
                for (i, value) in part(key, 2, head).iter().enumerate() {
                    mixed[query * HIDDEN + head * size + i] += weight / total * value;
                }
            }
        }
    }
    linear(&mixed, out, HIDDEN)
}

/// One block on one puzzle, h [S × D].
fn forward(mixer: Mixer, h: &mut [f64], [mixer_in, mixer_out, channel_in, channel_out]: &Block) {
    match mixer {
        Mixer::Mlp => {
            let mut u = transposed(h, HIDDEN);
            let mixed = swiglu(&u, mixer_in, mixer_out, POSITIONS, TOKEN_INNER);
            u.iter_mut().zip(mixed).for_each(|(u, mixed)| *u += mixed);
            norm(&mut u, POSITIONS);
            h.copy_from_slice(&transposed(&u, POSITIONS));
        }
        Mixer::Attention { heads, rotary } => {
            let mixed = attention(h, mixer_in, mixer_out, heads, rotary);
            h.iter_mut().zip(mixed).for_each(|(h, mixed)| *h += mixed);
            norm(h, HIDDEN);
        }
    }
    let mixed = swiglu(h, channel_in, channel_out, HIDDEN, CHANNEL_INNER);
    h.iter_mut().zip(mixed).for_each(|(h, mixed)| *h += mixed);
    norm(h, HIDDEN);
}

/// Σ c·(output of two consecutive blocks on each puzzle); its gradient is the result of the backward pass from c.
fn objective(mixer: Mixer, h: &[f64], blocks: &[Block], c: &[f32]) -> f64 {
    let mut h = h.to_vec();
    for sample in h.chunks_exact_mut(POSITIONS * HIDDEN) {
        blocks.iter().for_each(|block| forward(mixer, sample, block));
    }
    h.iter().zip(c).map(|(h, &c)| h * f64::from(c)).sum()
}

/// Euclidean distance, relative to the norm of the reference.
fn distance(mine: &[f32], exact: &[f64]) -> f64 {
    let error: f64 = mine.iter().zip(exact).map(|(mine, exact)| (f64::from(*mine) - exact).powi(2)).sum();
    (error / exact.iter().map(|exact| exact * exact).sum::<f64>()).sqrt()
}

fn check<L: Level>(mixer: Mixer) {
    let mut numbers = Numbers::new(17);
    let dims = Dims::new::<L>(POSITIONS, HIDDEN, mixer, TOKEN_INNER, CHANNEL_INNER);
    let rows = SAMPLES * POSITIONS;
    let shape = |part: Part| part.matrix::<L>(&dims);
    let weights: Vec<[Vec<f32>; 4]> = (0..2)
        // Divided by 4, still exact in bfloat16: larger weights give scores that amplify every rounding.
        .map(|_| {
            PARTS.map(|part| {
                numbers.values(shape(part).rows * shape(part).columns).into_iter().map(|value| value / 4.0).collect()
            })
        })
        .collect();
    let (input, c) = (numbers.values(rows * HIDDEN), numbers.values(rows * HIDDEN));

    let mut layers: Vec<LayerWeights<L>> = weights.iter().map(|_| LayerWeights::new(&dims, true)).collect();
    for (layer, weights) in layers.iter_mut().zip(&weights) {
        PARTS.into_iter().zip(weights).for_each(|(part, weight)| layer.pack(part, weight));
    }
    let spread = |values: &[f32]| {
        let mut out = vec![0.0f32; dims.rows(SAMPLES) * dims.stride];
        for (i, &value) in values.iter().enumerate() {
            out[i / HIDDEN * dims.stride + i % HIDDEN] = value;
        }
        out
    };
    let (mut h, mut d) = (spread(&input), spread(&c));
    let mut tape = Tape::<L>::new(&dims, 2, SAMPLES, true);
    let mut scratch = Scratch::<L>::new(&dims, SAMPLES, true);
    let mut gradients: Vec<LayerGradients> = (0..2).map(|_| LayerGradients::new::<L>(&dims)).collect();
    let start = h.clone();
    L::enter(Sum { sources: &[&start], out: &mut h, rows: tape.input() });
    net::forward(&dims, SAMPLES, &layers, &mut h, &mut tape, &mut scratch);
    net::backward(&dims, SAMPLES, &layers, &mut d, &tape, &mut gradients, &mut scratch);

    // Rounding of float32 sums in two blocks, or of every operand to bfloat16's eight bits, forwards and backwards.
    let tolerance = if L::E::PAIR == 1 { 2e-5 } else { 0.05 };
    let mut blocks: Vec<Block> =
        weights.iter().map(|block| block.clone().map(|weight| weight.into_iter().map(f64::from).collect())).collect();
    let wide: Vec<f64> = input.iter().map(|&value| f64::from(value)).collect();
    // The error of a central difference is step²/6 times the third derivative, far below the tolerance.
    let step = 1e-4;
    let differences = |count: usize, moved: &mut dyn FnMut(usize, f64) -> f64| -> Vec<f64> {
        (0..count).map(|i| (moved(i, step) - moved(i, -step)) / (2.0 * step)).collect()
    };

    let exact = differences(wide.len(), &mut |i, by| {
        let mut input = wide.clone();
        input[i] += by;
        objective(mixer, &input, &blocks, &c)
    });
    let mine: Vec<f32> = (0..rows * HIDDEN).map(|i| d[i / HIDDEN * dims.stride + i % HIDDEN]).collect();
    let error = distance(&mine, &exact);
    assert!(error < tolerance, "{}, {mixer:?}, input: off by {error}", L::NAME);
    for block in 0..2 {
        for (which, part) in PARTS.into_iter().enumerate() {
            let mut mine = vec![0.0; weights[block][which].len()];
            shape(part).gather::<L>(&[gradients[block].part(part)], &mut mine);
            let exact = differences(mine.len(), &mut |i, by| {
                let before = blocks[block][which][i];
                blocks[block][which][i] = before + by;
                let value = objective(mixer, &wide, &blocks, &c);
                blocks[block][which][i] = before;
                value
            });
            let error = distance(&mine, &exact);
            assert!(error < tolerance, "{}, {mixer:?}, {part:?} of block {block}: off by {error}", L::NAME);
        }
    }
}

fn token_mixer<L: Level>() {
    check::<L>(Mixer::Mlp);
}

fn attention_with_rotary_positions<L: Level>() {
    check::<L>(Mixer::Attention { heads: 2, rotary: true });
}

fn attention_without_positions<L: Level>() {
    check::<L>(Mixer::Attention { heads: 3, rotary: false });
}
