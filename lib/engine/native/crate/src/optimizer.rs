//! Optimizer steps over one tensor, fused with the moving average (spec §4).

use crate::simd::{Lanes, Work};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// p −= lr/(1 − β1^t) · atan2(m, √v / √(1 − β2^t)) (spec §4.1).
    AdamAtan2,
    /// p −= lr/(1 − β1^t) · m / (√v / √(1 − β2^t) + 1e-8).
    AdamW,
    /// The networks' matrices by [`crate::muon::Muon`], all other tensors by AdamAtan2.
    Muon,
}

/// The settings of one step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub rule: Rule,
    /// t, from 1.
    pub count: u32,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    /// average ← ema_rate·average + (1 − ema_rate)·parameter.
    pub ema_rate: f64,
}

/// One step for one tensor; all slices have the same length.
pub struct Update<'a> {
    pub step: Step,
    pub parameter: &'a mut [f32],
    pub gradient: &'a [f32],
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
    pub average: &'a mut [f32],
}

/// AdamW's ε.
const EPSILON: f32 = 1e-8;

impl<L: Lanes> Work<L> for Update<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run(self) {
        let Self { step, parameter, gradient, first, second, average } = self;
        let len = parameter.len();
        assert!(
            [gradient.len(), first.len(), second.len(), average.len()] == [len; 4],
            "tensors of one update differ in length"
        );
        let whole = len / L::LANES * L::LANES;
        for i in (0..whole).step_by(L::LANES) {
            // SAFETY: i + LANES ≤ the length of all five.
            unsafe {
                update::<L>(
                    &step,
                    parameter.as_mut_ptr().add(i),
                    gradient.as_ptr().add(i),
                    first.as_mut_ptr().add(i),
                    second.as_mut_ptr().add(i),
                    average.as_mut_ptr().add(i),
                );
            }
        }
        let rest = len - whole;
        if rest == 0 {
            return;
        }
        // The rest of a tensor is copied to padded vectors and back; no level has more than 16 lanes.
        let mut ends = [[0.0f32; 16]; 5];
        for (end, values) in ends.iter_mut().zip([&*parameter, gradient, &*first, &*second, &*average]) {
            end[..rest].copy_from_slice(&values[whole..]);
        }
        let [p, g, m, v, a] = &mut ends;
        // SAFETY: each array holds a vector.
        unsafe { update::<L>(&step, p.as_mut_ptr(), g.as_ptr(), m.as_mut_ptr(), v.as_mut_ptr(), a.as_mut_ptr()) };
        for (end, values) in [(p, parameter), (m, first), (v, second), (a, average)] {
            values[whole..].copy_from_slice(&end[..rest]);
        }
    }
}

/// Updates one vector of values.
///
/// # Safety
/// All pointers hold LANES values.
#[inline(always)]
unsafe fn update<L: Lanes>(step: &Step, p: *mut f32, g: *const f32, m: *mut f32, v: *mut f32, average: *mut f32) {
    let t = step.count as i32;
    let correction1 = (step.learning_rate / (1.0 - step.beta1.powi(t))) as f32;
    let correction2 = (1.0 - step.beta2.powi(t)).sqrt() as f32;
    let decay = (1.0 - step.learning_rate * step.weight_decay) as f32;
    // SAFETY: the caller's.
    unsafe {
        let gradient = L::load(g);
        let parameter = L::mul(L::load(p), L::splat(decay));
        // m ← m + (1 − β1)(g − m), v ← v + (1 − β2)(g² − v)
        let (m_old, v_old) = (L::load(m), L::load(v));
        let first = L::fma(L::splat((1.0 - step.beta1) as f32), L::sub(gradient, m_old), m_old);
        let second = L::fma(L::splat((1.0 - step.beta2) as f32), L::sub(L::mul(gradient, gradient), v_old), v_old);
        L::store(m, first);
        L::store(v, second);
        let denominator = L::div(L::sqrt(second), L::splat(correction2));
        let direction = match step.rule {
            Rule::AdamAtan2 | Rule::Muon => atan2::<L>(first, denominator),
            Rule::AdamW => L::div(first, L::add(denominator, L::splat(EPSILON))),
        };
        let parameter = L::fnma(direction, L::splat(correction1), parameter);
        L::store(p, parameter);
        let old = L::mul(L::load(average), L::splat(step.ema_rate as f32));
        L::store(average, L::fma(parameter, L::splat((1.0 - step.ema_rate) as f32), old));
    }
}

/// atan2(y, x) for x ≥ 0, within 3 units in the last place; 0 for (0, 0).
#[inline(always)]
unsafe fn atan2<L: Lanes>(y: L::F, x: L::F) -> L::F {
    // SAFETY: the caller is inside the level.
    unsafe {
        let zero = L::splat(0.0);
        let size = L::max(y, L::sub(zero, y));
        // atan of smaller/larger, in 0 … 1; the divisor is at least tiny, so that (0, 0) gives 0.
        let larger = L::max(L::max(size, x), L::splat(f32::MIN_POSITIVE));
        let smaller = L::where_greater(size, x, x, size);
        let q = L::div(smaller, larger);
        // Above tan(π/8): atan(q) = π/4 + atan((q − 1)/(q + 1)).
        let one = L::splat(1.0);
        let bend = L::splat(0.414_213_57);
        let reduced = L::where_greater(q, bend, L::div(L::sub(q, one), L::add(q, one)), q);
        let base = L::where_greater(q, bend, L::splat(std::f32::consts::FRAC_PI_4), zero);
        let z = L::mul(reduced, reduced);
        let mut series = L::splat(8.053_744_5e-2);
        for c in [-1.387_768_6e-1, 1.997_771_1e-1, -3.333_295e-1] {
            series = L::fma(series, z, L::splat(c));
        }
        let angle = L::add(base, L::fma(L::mul(series, z), reduced, reduced));
        let angle = L::where_greater(size, x, L::sub(L::splat(std::f32::consts::FRAC_PI_2), angle), angle);
        L::where_greater(zero, y, L::sub(zero, angle), angle)
    }
}

/// SignSGD of the rows in a batch: row ← row·(1 − lr·wd) − lr·sign(sum of the row's gradients) (spec §4.2).
pub fn sign_sgd(table: &mut [f32], size: usize, ids: &[i32], gradients: &[f32], learning_rate: f64, weight_decay: f64) {
    let mut seats: Vec<usize> = (0..ids.len()).collect();
    seats.sort_by_key(|&seat| ids[seat]); // stable: seats of one row stay in their order
    for seats in seats.chunk_by(|&a, &b| ids[a] == ids[b]) {
        let row = &mut table[ids[seats[0]] as usize * size..][..size];
        for (i, value) in row.iter_mut().enumerate() {
            let sum: f32 = seats.iter().map(|&seat| gradients[seat * size + i]).sum();
            let sign = if sum > 0.0 {
                1.0
            } else if sum < 0.0 {
                -1.0
            } else {
                0.0
            };
            *value = *value * (1.0 - learning_rate * weight_decay) as f32 - learning_rate as f32 * sign;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portable::Portable;
    use crate::simd::Level;

    struct Atan2(f32, f32);
    impl<L: Lanes> Work<L> for Atan2 {
        type Output = f32;
        #[inline(always)]
        unsafe fn run(self) -> f32 {
            let mut out = [0.0; 16];
            // SAFETY: the array holds a vector.
            unsafe { L::store(out.as_mut_ptr(), atan2::<L>(L::splat(self.0), L::splat(self.1))) };
            out[0]
        }
    }

    #[test]
    fn atan2_agrees_with_double_precision() {
        for y in [-1e30, -3.0, -1.0, -0.3, -1e-20, 0.0, 1e-20, 1e-3, 0.41, 0.42, 1.0, 2.0, 1e30f32] {
            for x in [0.0, 1e-30, 1e-20, 1e-3, 0.5, 1.0, 7.0, 1e30f32] {
                let exact = f64::from(y).atan2(f64::from(x));
                let ours = f64::from(Portable::enter(Atan2(y, x)));
                // Three units in the last place of float32.
                assert!(
                    (ours - exact).abs() <= 3.0 * 1.2e-7 * exact.abs() + 1e-37,
                    "atan2({y}, {x}) = {ours}, expected {exact}"
                );
            }
        }
    }

    #[test]
    fn rows_of_one_id_move_once_by_the_sign_of_their_sum() {
        let mut table = [1.0, 1.0, 5.0, 5.0];
        sign_sgd(&mut table, 2, &[0, 0], &[1.0, -1.0, -3.0, 1.0], 0.5, 0.0);
        assert_eq!(table, [1.5, 1.0, 5.0, 5.0]);
    }
}
