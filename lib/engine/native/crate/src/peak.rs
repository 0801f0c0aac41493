//! Measures the peak of this CPU's vector or tile unit at a level: product blocks with operands in the L1 cache.

use std::time::Instant;

use crate::buffer::Buffer;
use crate::product::{BlockRun, panel_length};
use crate::simd::Level;
use crate::team::run_all;

/// Length of the summed index: A and B of one block take less than half of an L1 cache,
/// and storing the sums takes a small part of the time.
const DEPTH: usize = 192;
/// About a millisecond: short enough for some rounds to be undisturbed.
const FLOP_A_ROUND: f64 = 1e8;
const SECONDS: f64 = 0.3;

/// GFLOP/s of all threads together: the sum of each thread's best round while all are working.
pub fn peak<L: Level>(threads: usize) -> f64 {
    let mut best = vec![0.0f64; threads];
    let jobs = best
        .iter_mut()
        .map(|best| {
            || {
                let a = Buffer::<L::E>::zeros(L::MR * DEPTH);
                let b = Buffer::<L::E>::zeros(panel_length::<L>(DEPTH));
                let flop = (2 * L::MR * L::NR * DEPTH) as f64;
                let repeats = (FLOP_A_ROUND / flop).ceil() as usize;
                let started = Instant::now();
                while started.elapsed().as_secs_f64() < SECONDS {
                    let round = Instant::now();
                    L::enter(BlockRun { a: &a, b: &b, depth: DEPTH, repeats });
                    *best = best.max(flop * repeats as f64 / round.elapsed().as_secs_f64() / 1e9);
                }
            }
        })
        .collect();
    run_all(threads, jobs);
    best.iter().sum()
}
