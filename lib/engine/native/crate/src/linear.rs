//! The linear maps of the heads, small and in float32, forwards and backwards.

use crate::simd::{Lanes, Work};

/// out [count × outputs] = x [count × width]·Wᵀ.
pub struct Linear<'a> {
    pub x: &'a [f32],
    pub stride: usize,
    pub width: usize,
    pub weight: &'a [f32],
    pub outputs: usize,
    pub out: &'a mut [f32],
}

impl<L: Lanes> Work<L> for Linear<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let whole = self.width / L::LANES * L::LANES;
        for (row, out) in self.out.chunks_exact_mut(self.outputs).enumerate() {
            let x = &self.x[row * self.stride..][..self.width];
            for (out, w) in out.iter_mut().zip(self.weight.chunks_exact(self.width)) {
                // SAFETY: i + LANES ≤ whole ≤ width, the length of both.
                *out = unsafe {
                    let mut sum = L::splat(0.0);
                    for i in (0..whole).step_by(L::LANES) {
                        sum = L::fma(L::load(x.as_ptr().add(i)), L::load(w.as_ptr().add(i)), sum);
                    }
                    L::sum(sum)
                };
                for i in whole..self.width {
                    *out += x[i] * w[i];
                }
            }
        }
    }
}

/// Backward through [`Linear`]: adds d·W to `d_x` and dᵀ·x to `d_weight`. Rows of d that are all zero are skipped.
pub struct LinearGradient<'a> {
    pub x: &'a [f32],
    pub stride: usize,
    pub width: usize,
    pub weight: &'a [f32],
    pub outputs: usize,
    /// [count × outputs].
    pub d: &'a [f32],
    pub d_x: &'a mut [f32],
    pub d_weight: &'a mut [f32],
}

impl<L: Lanes> Work<L> for LinearGradient<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let whole = self.width / L::LANES * L::LANES;
        for (row, d) in self.d.chunks_exact(self.outputs).enumerate() {
            let x = &self.x[row * self.stride..][..self.width];
            let d_x = &mut self.d_x[row * self.stride..][..self.width];
            for (output, &d) in d.iter().enumerate() {
                if d == 0.0 {
                    continue;
                }
                let w = &self.weight[output * self.width..][..self.width];
                let d_w = &mut self.d_weight[output * self.width..][..self.width];
                // SAFETY: i + LANES ≤ whole ≤ width, the length of all four.
                unsafe {
                    let d = L::splat(d);
                    for i in (0..whole).step_by(L::LANES) {
                        let (d_x, d_w) = (d_x.as_mut_ptr().add(i), d_w.as_mut_ptr().add(i));
                        L::store(d_x, L::fma(d, L::load(w.as_ptr().add(i)), L::load(d_x)));
                        L::store(d_w, L::fma(d, L::load(x.as_ptr().add(i)), L::load(d_w)));
                    }
                }
                for i in whole..self.width {
                    d_x[i] += d * w[i];
                    d_w[i] += d * x[i];
                }
            }
        }
    }
}
