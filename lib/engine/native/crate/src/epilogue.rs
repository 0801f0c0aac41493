//! The epilogues of products, which process a block before it leaves the registers:
//! SwiGLU and its derivative, sums, attention weights.

use crate::product::{Epilogue, panel_length};
use crate::simd::{Element, Lanes};

/// Panics unless `end` values fit.
fn fits(what: &str, end: usize, length: usize) {
    assert!(end <= length, "{what}: needs {end} values, has {length}");
}

/// Offset of (even row k, column n) in a panel.
#[inline(always)]
fn in_panel<L: Lanes>(k: usize, n: usize) -> usize {
    k * L::NR + n * L::E::PAIR
}

/// C += the product. Panels come in groups of `group`, whose C are `group_stride` values apart.
pub struct Add<'a> {
    pub sums: &'a mut [f32],
    pub stride: usize,
    pub group: usize,
    pub group_stride: usize,
}

impl<'a> Add<'a> {
    /// For a single C of `stride` columns.
    pub fn to(sums: &'a mut [f32], stride: usize) -> Self {
        Self { sums, stride, group: usize::MAX, group_stride: 0 }
    }
}

impl<L: Lanes> Epilogue<L> for Add<'_> {
    const HALF_PANELS: bool = true;

    fn check(&self, rows: usize, panels: usize) {
        let groups = panels.div_ceil(self.group);
        let columns = panels.min(self.group) * L::NR;
        fits("sums' stride", columns, self.stride.next_multiple_of(L::NR));
        // The last panel may be half as wide; a row then ends L::LANES earlier.
        fits(
            "sums",
            (groups - 1) * self.group_stride + (rows - 1) * self.stride + columns.min(self.stride),
            self.sums.len(),
        );
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let (group, panel) = if panel < self.group { (0, panel) } else { (panel / self.group, panel % self.group) };
            let base = self.sums.as_mut_ptr().add(group * self.group_stride + row * self.stride + panel * L::NR);
            for (m, sums) in block.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    let at = base.add(m * self.stride + v * L::LANES);
                    L::store(at, L::add(L::load(at), sum));
                }
            }
        }
    }
}

/// C = scale · the product, float32 rows.
pub struct Scaled<'a> {
    pub out: &'a mut [f32],
    pub stride: usize,
    pub scale: f32,
}

impl<L: Lanes> Epilogue<L> for Scaled<'_> {
    fn check(&self, rows: usize, panels: usize) {
        fits("stride", panels * L::NR, self.stride);
        fits("out", rows * self.stride, self.out.len());
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let scale = L::splat(self.scale);
            let base = self.out.as_mut_ptr().add(row * self.stride + panel * L::NR);
            for (m, sums) in block.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    L::store(base.add(m * self.stride + v * L::LANES), L::mul(sum, scale));
                }
            }
        }
    }
}

/// C = the product as rows of operands.
pub struct ToRows<'a, E> {
    pub out: &'a mut [E],
    pub stride: usize,
}

impl<L: Lanes> Epilogue<L> for ToRows<'_, L::E> {
    fn check(&self, rows: usize, panels: usize) {
        fits("out", (rows - 1) * self.stride + panels * L::NR, self.out.len());
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let base = self.out.as_mut_ptr().add(row * self.stride + panel * L::NR);
            for (m, sums) in block.iter().enumerate() {
                L::store_two(base.add(m * self.stride), sums[0], sums[V - 1]);
            }
        }
    }
}

/// C = the product, each row times its own scale, as rows of operands from column `column` on.
pub struct ToScaledRows<'a, E> {
    /// One value per row, and one for the spare row.
    pub scale: &'a [f32],
    pub out: &'a mut [E],
    pub stride: usize,
    pub column: usize,
}

impl<L: Lanes> Epilogue<L> for ToScaledRows<'_, L::E> {
    fn check(&self, rows: usize, panels: usize) {
        fits("scale", rows, self.scale.len());
        fits("out", (rows - 1) * self.stride + self.column + panels * L::NR, self.out.len());
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let base = self.out.as_mut_ptr().add(row * self.stride + self.column + panel * L::NR);
            for (m, sums) in block.iter().enumerate() {
                let scale = L::splat(*self.scale.get_unchecked(row + m));
                L::store_two(base.add(m * self.stride), L::mul(sums[0], scale), L::mul(sums[V - 1], scale));
            }
        }
    }
}

// Functions that are always inlined, because closures would be compiled without the level's instructions.

/// silu(gate)·up.
#[inline(always)]
unsafe fn activate<L: Lanes>(gate: L::F, up: L::F) -> L::F {
    // SAFETY: the caller is inside the level.
    unsafe { L::mul(L::mul(gate, up), L::sigmoid(gate)) }
}

/// silu(gate)·up of the channel SwiGLU: tokens are rows, and each panel has LANES gates, then their LANES ups.
pub struct GateColumns<'a, E> {
    /// Rows [tokens × inner].
    pub out: &'a mut [E],
    pub stride: usize,
    /// Gates and ups in the panels' order, rows [tokens × 2·inner], if the backward pass will need them.
    pub saved: Option<&'a mut [E]>,
}

impl<L: Lanes> Epilogue<L> for GateColumns<'_, L::E> {
    fn check(&self, rows: usize, panels: usize) {
        fits("stride", panels * L::LANES, self.stride);
        fits("out", rows * self.stride, self.out.len());
        if let Some(saved) = &self.saved {
            fits("saved", rows * 2 * self.stride, saved.len());
        }
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let out = self.out.as_mut_ptr().add(row * self.stride + panel * L::LANES);
            if let Some(saved) = &mut self.saved {
                let saved = saved.as_mut_ptr().add(row * 2 * self.stride + panel * L::NR);
                for (m, sums) in block.iter().enumerate() {
                    L::store_two(saved.add(m * 2 * self.stride), sums[0], sums[V - 1]);
                }
            }
            for (m, sums) in block.iter().enumerate() {
                L::store_elements(out.add(m * self.stride), activate::<L>(sums[0], sums[V - 1]));
            }
        }
    }
}

/// silu(gate)·up of the token SwiGLU: channels are columns, and blocks have gates above their ups.
pub struct GateRows<'a, E> {
    /// Panels [inner × columns], `panel` elements each.
    pub out: &'a mut [E],
    pub panel: usize,
    pub inner: usize,
    /// Rows [2·inner × columns], gates first, if the backward pass will need them.
    pub saved: Option<&'a mut [E]>,
    pub stride: usize,
}

impl<L: Lanes> Epilogue<L> for GateRows<'_, L::E> {
    const UNIT: usize = 2 * L::E::PAIR;
    const GATED: bool = true;

    fn check(&self, rows: usize, panels: usize) {
        fits("inner rows", rows / 2, self.inner);
        fits("panel", panel_length::<L>(self.inner), self.panel);
        fits("out", panels * self.panel, self.out.len());
        if let Some(saved) = &self.saved {
            fits("stride", panels * L::NR, self.stride);
            fits("saved", 2 * self.inner * self.stride, saved.len());
        }
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            if let Some(saved) = &mut self.saved {
                let saved = saved.as_mut_ptr().add(row * self.stride + panel * L::NR);
                for (m, sums) in block.iter().enumerate() {
                    let at = if m < M / 2 { m } else { self.inner + m - M / 2 };
                    L::store_two(saved.add(at * self.stride), sums[0], sums[V - 1]);
                }
            }
            let out = self.out.as_mut_ptr().add(panel * self.panel + in_panel::<L>(row, 0));
            for v in 0..V {
                for m in (0..M / 2).step_by(L::E::PAIR) {
                    let at = out.add(in_panel::<L>(m, v * L::LANES));
                    let one = activate::<L>(block[m][v], block[M / 2 + m][v]);
                    if L::E::PAIR == 1 {
                        L::store_elements(at, one);
                    } else {
                        L::store_pair(at, one, activate::<L>(block[m + 1][v], block[M / 2 + m + 1][v]));
                    }
                }
            }
        }
    }
}

/// Derivatives of silu(gate)·up: (d gate, d up, silu(gate)·up) from the gate, the up and the derivative of the result.
#[inline(always)]
unsafe fn gate_gradient<L: Lanes>(gate: L::F, up: L::F, d: L::F) -> (L::F, L::F, L::F) {
    // SAFETY: the caller is inside the level.
    unsafe {
        let sigmoid = L::sigmoid(gate);
        let silu = L::mul(gate, sigmoid);
        // silu' = σ + silu·(1 − σ) = σ + silu − silu·σ
        let slope = L::add(sigmoid, L::fnma(silu, sigmoid, silu));
        (L::mul(L::mul(d, up), slope), L::mul(d, silu), L::mul(silu, up))
    }
}

/// The channel SwiGLU's backward pass: C is the derivative of silu(gate)·up, tokens are rows.
pub struct GateColumnsGradient<'a, E> {
    /// As [`GateColumns::saved`]; stride 2·inner, as for `rows`.
    pub saved: &'a [E],
    pub inner: usize,
    /// d gate and d up in the order of `saved`, as rows [tokens × 2·inner] …
    pub rows: &'a mut [E],
    /// … and as panels over tokens [tokens × 2·inner], `panel` elements each.
    pub panels: &'a mut [E],
    /// silu(gate)·up as panels over tokens [tokens × inner], `panel` elements each.
    pub activated: &'a mut [E],
    pub panel: usize,
}

impl<L: Lanes> Epilogue<L> for GateColumnsGradient<'_, L::E> {
    fn check(&self, rows: usize, panels: usize) {
        fits("inner columns", panels * L::NR, self.inner);
        fits("saved", rows * 2 * self.inner, self.saved.len());
        fits("rows", rows * 2 * self.inner, self.rows.len());
        fits("panel", panel_length::<L>(rows), self.panel);
        fits("panels", 2 * panels * self.panel, self.panels.len());
        fits("activated", panels * self.panel, self.activated.len());
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            for v in 0..V {
                let group = 2 * panel + v; // of LANES gates and LANES ups
                let saved = self.saved.as_ptr().add(row * 2 * self.inner + group * L::NR);
                let rows = self.rows.as_mut_ptr().add(row * 2 * self.inner + group * L::NR);
                let panels = self.panels.as_mut_ptr().add(group * self.panel + in_panel::<L>(row, 0));
                let activated = self.activated.as_mut_ptr().add(panel * self.panel + in_panel::<L>(row, v * L::LANES));
                for m in (0..M).step_by(2) {
                    let (one, two) = (saved.add(m * 2 * self.inner), saved.add((m + 1) * 2 * self.inner));
                    let (gate, up, a) =
                        gate_gradient::<L>(L::load_elements(one), L::load_elements(one.add(L::LANES)), block[m][v]);
                    let (next_gate, next_up, next_a) =
                        gate_gradient::<L>(L::load_elements(two), L::load_elements(two.add(L::LANES)), block[m + 1][v]);
                    L::store_two(rows.add(m * 2 * self.inner), gate, up);
                    L::store_two(rows.add((m + 1) * 2 * self.inner), next_gate, next_up);
                    let at = in_panel::<L>(m, 0);
                    L::store_pair(panels.add(at), gate, next_gate);
                    L::store_pair(panels.add(at + L::LANES * L::E::PAIR), up, next_up);
                    L::store_pair(activated.add(at), a, next_a);
                }
            }
        }
    }
}

/// The token SwiGLU's backward pass: C is the derivative of silu(gate)·up, channels are columns.
pub struct GateRowsGradient<'a, E> {
    /// As [`GateRows::saved`], rows [2·inner × columns] of `stride`.
    pub saved: &'a [E],
    pub inner: usize,
    pub stride: usize,
    /// d gate, then d up, as rows [2·inner × columns] of `stride` …
    pub rows: &'a mut [E],
    /// … and as panels [2·inner × columns], `panel` elements each.
    pub panels: &'a mut [E],
    pub panel: usize,
    /// silu(gate)·up, rows [inner × columns] of `stride`.
    pub activated: &'a mut [E],
}

impl<L: Lanes> Epilogue<L> for GateRowsGradient<'_, L::E> {
    fn check(&self, rows: usize, panels: usize) {
        fits("inner rows", rows, self.inner);
        fits("stride", panels * L::NR, self.stride);
        fits("saved", 2 * self.inner * self.stride, self.saved.len());
        fits("rows", 2 * self.inner * self.stride, self.rows.len());
        fits("panel", panel_length::<L>(2 * self.inner), self.panel);
        fits("panels", panels * self.panel, self.panels.len());
        fits("activated", self.inner * self.stride, self.activated.len());
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let start = row * self.stride + panel * L::NR;
            let ups = self.inner * self.stride;
            let saved = self.saved.as_ptr().add(start);
            let rows = self.rows.as_mut_ptr().add(start);
            let activated = self.activated.as_mut_ptr().add(start);
            let panels = self.panels.as_mut_ptr().add(panel * self.panel + in_panel::<L>(row, 0));
            let zero = L::splat(0.0);
            for m in (0..M).step_by(2) {
                let mut gates = [[zero; V]; 2];
                let mut up = [[zero; V]; 2];
                let mut a = [[zero; V]; 2];
                for i in 0..2 {
                    for v in 0..V {
                        let saved = saved.add((m + i) * self.stride + v * L::LANES);
                        (gates[i][v], up[i][v], a[i][v]) = gate_gradient::<L>(
                            L::load_elements(saved),
                            L::load_elements(saved.add(ups)),
                            block[m + i][v],
                        );
                    }
                    let at = (m + i) * self.stride;
                    L::store_two(rows.add(at), gates[i][0], gates[i][V - 1]);
                    L::store_two(rows.add(ups + at), up[i][0], up[i][V - 1]);
                    L::store_two(activated.add(at), a[i][0], a[i][V - 1]);
                }
                for v in 0..V {
                    let at = in_panel::<L>(m, v * L::LANES);
                    L::store_pair(panels.add(at), gates[0][v], gates[1][v]);
                    L::store_pair(panels.add(in_panel::<L>(self.inner, 0) + at), up[0][v], up[1][v]);
                }
            }
        }
    }
}

/// Attention weights for the backward pass: exp(scale·score − logsumexp),
/// as panels over queries; 0 beyond the last key.
pub struct AttentionWeights<'a, E> {
    pub scale: f32,
    /// One value per query.
    pub logsumexp: &'a [f32],
    pub keys: usize,
    pub out: &'a mut [E],
    pub panel: usize,
}

impl<L: Lanes> Epilogue<L> for AttentionWeights<'_, L::E> {
    fn check(&self, rows: usize, panels: usize) {
        fits("logsumexp", rows, self.logsumexp.len());
        fits("panel", panel_length::<L>(rows), self.panel);
        fits("out", panels * self.panel, self.out.len());
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let scale = L::splat(self.scale);
            let out = self.out.as_mut_ptr().add(panel * self.panel + in_panel::<L>(row, 0));
            for m in (0..M).step_by(2) {
                let shift = L::splat(-*self.logsumexp.get_unchecked(row + m));
                let next_shift = L::splat(-*self.logsumexp.get_unchecked(row + m + 1));
                for v in 0..V {
                    let mut one = L::exp(L::fma(block[m][v], scale, shift));
                    let mut next = L::exp(L::fma(block[m + 1][v], scale, next_shift));
                    let from = panel * L::NR + v * L::LANES;
                    if from + L::LANES > self.keys {
                        (one, next) = (
                            keep_first::<L>(one, self.keys.saturating_sub(from)),
                            keep_first::<L>(next, self.keys.saturating_sub(from)),
                        );
                    }
                    L::store_pair(out.add(in_panel::<L>(m, v * L::LANES)), one, next);
                }
            }
        }
    }
}

/// The first `count` lanes; the others become zero.
#[inline(always)]
unsafe fn keep_first<L: Lanes>(value: L::F, count: usize) -> L::F {
    // SAFETY: the caller is inside the level; the array holds 16 values and no level has more lanes.
    unsafe {
        let mut kept = [0.0f32; 16];
        L::store(kept.as_mut_ptr(), value);
        kept[count..].fill(0.0);
        L::load(kept.as_ptr())
    }
}

/// Derivative of the scores, weight·(C − delta)·scale with C the derivative of the weights,
/// as rows and as panels over queries.
pub struct ScoreGradient<'a, E> {
    /// Made by [`AttentionWeights`].
    pub weights: &'a [E],
    pub panel: usize,
    /// Σ over keys of weight · derivative of the weight, one value per query.
    pub delta: &'a [f32],
    pub scale: f32,
    pub rows: &'a mut [E],
    pub stride: usize,
    pub panels: &'a mut [E],
}

impl<L: Lanes> Epilogue<L> for ScoreGradient<'_, L::E> {
    fn check(&self, rows: usize, panels: usize) {
        fits("delta", rows, self.delta.len());
        fits("panel", panel_length::<L>(rows), self.panel);
        fits("weights", panels * self.panel, self.weights.len());
        fits("panels", panels * self.panel, self.panels.len());
        fits("stride", panels * L::NR, self.stride);
        fits("rows", rows * self.stride, self.rows.len());
    }

    #[inline(always)]
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]) {
        // SAFETY: the trait's condition.
        unsafe {
            let scale = L::splat(self.scale);
            let start = panel * self.panel + in_panel::<L>(row, 0);
            let weights = self.weights.as_ptr().add(start);
            let panels = self.panels.as_mut_ptr().add(start);
            let rows = self.rows.as_mut_ptr().add(row * self.stride + panel * L::NR);
            for m in (0..M).step_by(2) {
                let delta = L::splat(*self.delta.get_unchecked(row + m));
                let next_delta = L::splat(*self.delta.get_unchecked(row + m + 1));
                for v in 0..V {
                    let at = in_panel::<L>(m, v * L::LANES);
                    let (weight, next_weight) = L::load_pair(weights.add(at));
                    let one = L::mul(L::mul(weight, scale), L::sub(block[m][v], delta));
                    let next = L::mul(L::mul(next_weight, scale), L::sub(block[m + 1][v], next_delta));
                    L::store_pair(panels.add(at), one, next);
                    L::store_elements(rows.add(m * self.stride + v * L::LANES), one);
                    L::store_elements(rows.add((m + 1) * self.stride + v * L::LANES), next);
                }
            }
        }
    }
}
