//! Losses of one puzzle, in double precision, with their derivatives (spec §3).

/// Label of a cell that is not scored.
pub const IGNORED: i32 = -100;

/// Cross-entropy of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CrossEntropy {
    /// s(x) = x + 1 from 0 on, else 1/(1 − x), in place of the exponential.
    Stablemax,
    Softmax,
}

/// −log p[label] and its derivative with respect to the logits, times `scale`, into `d`.
pub fn cross_entropy(kind: CrossEntropy, logits: &[f32], label: usize, scale: f64, d: &mut [f32]) -> f64 {
    match kind {
        CrossEntropy::Stablemax => {
            let s = |x: f32| if x >= 0.0 { f64::from(x) + 1.0 } else { 1.0 / (1.0 - f64::from(x)) };
            let total: f64 = logits.iter().map(|&x| s(x)).sum();
            for (i, (&x, d)) in logits.iter().zip(d.iter_mut()).enumerate() {
                // s'(x) = 1 from 0 on, else s(x)²; ∂(−log p_k)/∂x_i = s'(x_i)·(1/Σ − [i = k]/s(x_k)).
                let value = s(x);
                let slope = if x >= 0.0 { 1.0 } else { value * value };
                let own = if i == label { 1.0 / value } else { 0.0 };
                *d = (scale * slope * (1.0 / total - own)) as f32;
            }
            (total / s(logits[label])).ln()
        }
        CrossEntropy::Softmax => {
            let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weight = |x: f32| (f64::from(x) - f64::from(top)).exp();
            let total: f64 = logits.iter().map(|&x| weight(x)).sum();
            for (i, (&x, d)) in logits.iter().zip(d.iter_mut()).enumerate() {
                let own = if i == label { 1.0 } else { 0.0 };
                *d = (scale * (weight(x) / total - own)) as f32;
            }
            total.ln() + f64::from(top) - f64::from(logits[label])
        }
    }
}

/// Binary cross-entropy of a logit against a target in 0 … 1, and its derivative.
pub fn binary_cross_entropy(logit: f32, target: f64) -> (f64, f64) {
    let q = f64::from(logit);
    (q.max(0.0) - q * target + (-q.abs()).exp().ln_1p(), sigmoid(q) - target)
}

pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The most likely token, lowest id first on a tie.
pub fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (i, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with central differences of the same function, in double precision on exact float32 logits.
    #[test]
    fn derivatives_match_differences() {
        for kind in [CrossEntropy::Stablemax, CrossEntropy::Softmax] {
            let logits = [0.5f32, -1.25, 1.0, 0.0625, -3.0];
            let mut d = [0.0; 5];
            let mut ignored = [0.0; 5];
            cross_entropy(kind, &logits, 2, 2.0, &mut d);
            for i in 0..5 {
                let step = 1.0 / 1024.0;
                let mut at = |offset: f32| {
                    let mut moved = logits;
                    moved[i] += offset;
                    2.0 * cross_entropy(kind, &moved, 2, 1.0, &mut ignored)
                };
                let slope = (at(step) - at(-step)) / (2.0 * f64::from(step));
                // The error of a central difference is step²/6 times the third derivative: below 1e-5 here.
                assert!((slope - f64::from(d[i])).abs() < 1e-5, "{kind:?} {i}: {slope} against {}", d[i]);
            }
        }
    }

    #[test]
    fn a_tie_goes_to_the_lowest_id() {
        assert_eq!(argmax(&[0.0, 2.0, 2.0, 1.0]), 1);
    }
}
