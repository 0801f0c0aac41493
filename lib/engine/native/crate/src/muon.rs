//! Muon's step for one matrix along the moving average of its gradients, orthogonalized (K. Jordan, "Muon", 2024).

use crate::buffer::filled;
use crate::optimizer::Step;
use crate::simd::{Lanes, Work};

/// Newton–Schulz iterations, and the coefficients a, b, c of X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X:
/// singular values end between 0.7 and 1.2.
const ITERATIONS: usize = 5;
const COEFFICIENTS: [f32; 3] = [3.4445, -4.775, 2.0315];

/// The step size: entries of an orthogonal matrix are small,
/// and 0.2·√(longer side) gives them the size of Adam's steps (arXiv 2502.16982 §2.2).
const SCALE: f64 = 0.2;

/// One step for one matrix [rows × columns]; all slices have that length.
pub struct Muon<'a> {
    pub step: Step,
    pub rows: usize,
    pub columns: usize,
    pub parameter: &'a mut [f32],
    pub gradient: &'a [f32],
    pub first: &'a mut [f32],
    pub average: &'a mut [f32],
}

impl<L: Lanes> Work<L> for Muon<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run(self) {
        let Self { step, rows, columns, parameter, gradient, first, average } = self;
        assert!(
            [parameter.len(), gradient.len(), first.len(), average.len()] == [rows * columns; 4],
            "tensors of one update differ in length"
        );
        // m ← m + (1 − β1)(g − m); the direction is Nesterov's, one step ahead: β1·m + (1 − β1)·g.
        let keep = step.beta1 as f32;
        let wide = columns >= rows;
        let (short, long) = if wide { (rows, columns) } else { (columns, rows) };
        let mut x = Matrix::zeros(short.next_multiple_of(L::NR), long.next_multiple_of(L::NR));
        let stride = x.columns;
        let place = |row: usize, column: usize| if wide { row * stride + column } else { column * stride + row };
        for row in 0..rows {
            for column in 0..columns {
                let i = row * columns + column;
                first[i] += (1.0 - keep) * (gradient[i] - first[i]);
                x.values[place(row, column)] = keep * first[i] + (1.0 - keep) * gradient[i];
            }
        }
        orthogonalize::<L>(&mut x);
        let decay = (1.0 - step.learning_rate * step.weight_decay) as f32;
        let rate = (step.learning_rate * SCALE * (long as f64).sqrt()) as f32;
        let ema = step.ema_rate as f32;
        for row in 0..rows {
            for column in 0..columns {
                let i = row * columns + column;
                parameter[i] = parameter[i] * decay - rate * x.values[place(row, column)];
                average[i] = ema * average[i] + (1.0 - ema) * parameter[i];
            }
        }
    }
}

/// A row-major matrix, padded to multiples of a panel's width with zeros,
/// which stay zero in every iteration.
struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    fn zeros(rows: usize, columns: usize) -> Self {
        Self { columns, values: filled(0.0, rows * columns) }
    }

    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }
}

/// Brings the singular values of a matrix, whose rows are the shorter side, near 1; a zero matrix stays zero.
#[inline(always)]
fn orthogonalize<L: Lanes>(x: &mut Matrix) {
    let norm = x.values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    let scale = (1.0 / (norm + 1e-30)) as f32;
    x.values.iter_mut().for_each(|v| *v *= scale);
    let [a, b, c] = COEFFICIENTS;
    let (rows, columns) = (x.rows(), x.columns);
    let mut transposed = Matrix::zeros(columns, rows);
    let mut gram = Matrix::zeros(rows, rows);
    let mut square = Matrix::zeros(rows, rows);
    let mut next = Matrix::zeros(rows, columns);
    for _ in 0..ITERATIONS {
        for row in 0..rows {
            for column in 0..columns {
                transposed.values[column * rows + row] = x.values[row * columns + column];
            }
        }
        multiply::<L>(x, &transposed, &mut gram);
        multiply::<L>(&gram, &gram, &mut square);
        square.values.iter_mut().zip(&gram.values).for_each(|(square, gram)| *square = b * gram + c * *square);
        multiply::<L>(&square, x, &mut next);
        next.values.iter_mut().zip(&x.values).for_each(|(next, x)| *next += a * x);
        std::mem::swap(x, &mut next);
    }
}

/// out = left·right in float32 at every level, in blocks of four rows and two vectors.
#[inline(always)]
fn multiply<L: Lanes>(left: &Matrix, right: &Matrix, out: &mut Matrix) {
    const HEIGHT: usize = 4;
    let (rows, depth, columns) = (left.rows(), left.columns, right.columns);
    assert!(right.rows() == depth && out.rows() == rows && out.columns == columns, "sides of a product do not fit");
    assert!(rows.is_multiple_of(HEIGHT) && columns.is_multiple_of(L::NR), "sides of a product are not padded");
    for column in (0..columns).step_by(L::NR) {
        for row in (0..rows).step_by(HEIGHT) {
            // SAFETY: rows row … row + 3 of left and out and columns column … column + NR − 1 of right
            // and out exist, checked above.
            unsafe {
                let mut sums = [[L::splat(0.0); 2]; HEIGHT];
                let (left, right) = (left.values.as_ptr().add(row * depth), right.values.as_ptr().add(column));
                for k in 0..depth {
                    let b = [L::load(right.add(k * columns)), L::load(right.add(k * columns + L::LANES))];
                    for (m, sums) in sums.iter_mut().enumerate() {
                        let a = L::splat(*left.add(m * depth + k));
                        sums[0] = L::fma(a, b[0], sums[0]);
                        sums[1] = L::fma(a, b[1], sums[1]);
                    }
                }
                for (m, sums) in sums.iter().enumerate() {
                    let to = out.values.as_mut_ptr().add((row + m) * columns + column);
                    L::store(to, sums[0]);
                    L::store(to.add(L::LANES), sums[1]);
                }
            }
        }
    }
}
