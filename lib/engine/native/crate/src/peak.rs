//! What this CPU's vector unit can do at a level: products whose operands stay in the first cache.

use std::time::Instant;

use crate::buffer::Buffer;
use crate::epilogue::Add;
use crate::product::{Left, Product, Right, panel_length, panels_length};
use crate::simd::Level;
use crate::team::run_all;

/// GFLOP/s of all threads together: the best of a few rounds of a small product.
pub fn peak<L: Level>(threads: usize) -> f64 {
    let (rows, depth) = (L::MR * 4, 256);
    let columns = L::NR;
    const PRODUCTS: usize = 4000;
    const ROUNDS: usize = 8;
    (0..ROUNDS)
        .map(|_| {
            let work = || {
                let a = Buffer::<L::E>::zeros(rows * depth);
                let b = Buffer::<L::E>::zeros(panels_length::<L>(depth, columns));
                let mut c = vec![0.0; rows * columns];
                for _ in 0..PRODUCTS {
                    let left = Left::Rows { data: &a, stride: depth };
                    let right = Right { data: &b, panel: panel_length::<L>(depth), columns };
                    L::enter(Product::<L, _> { left, rows, right, depth, rows_outer: false, epilogue: Add::to(&mut c, columns) });
                }
                assert!(c[0] == 0.0, "products of zeros are zero");
            };
            let started = Instant::now();
            run_all(threads, vec![work; threads]);
            (2 * rows * depth * columns * PRODUCTS * threads) as f64 / started.elapsed().as_secs_f64() / 1e9
        })
        .fold(0.0, f64::max)
}
