//! Packs weights for the products, rounded, reordered and padded, once per update;
//! and brings gradients back into the reference's order.

use crate::buffer::Buffer;
use crate::product::{Left, Right, panel_length, panels_length};
use crate::simd::{Element, Lanes};

/// The order of a packed weight's rows, relative to the reference's [rows × columns].
#[derive(Clone, Copy)]
pub enum Order {
    /// The reference's order.
    Plain,
    /// Gates, then ups, each padded to `padded` rows.
    Halves { inner: usize, padded: usize },
    /// LANES gates, then their LANES ups, and so on, so that one block of the product has both.
    Alternating { inner: usize, lanes: usize },
}

/// A weight's shape and order.
#[derive(Clone, Copy)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    /// Rows after padding.
    pub padded: usize,
    pub order: Order,
    /// Whether its gradient is summed as [columns × rows].
    pub transposed_gradient: bool,
}

/// A layout of a weight W [rows × columns] for a product; `r` is a row in packed order, `c` a column.
#[derive(Clone, Copy)]
pub enum Form {
    /// Left operand, element (r, c).
    Left,
    /// Left operand, element (c, r).
    LeftTransposed,
    /// Right operand in panels, element (k = r, n = c).
    Right,
    /// Right operand in panels, element (k = c, n = r).
    RightTransposed,
}

impl Matrix {
    /// The packed place of a row of the reference.
    fn place(&self, row: usize) -> usize {
        match self.order {
            Order::Plain => row,
            Order::Halves { inner, padded } => row % inner + row / inner * padded,
            Order::Alternating { inner, lanes } => {
                let (i, up) = (row % inner, row / inner);
                i / lanes * 2 * lanes + up * lanes + i % lanes
            }
        }
    }

    /// Values between rows of a left operand.
    pub fn left_stride(&self, form: Form) -> usize {
        match form {
            Form::LeftTransposed => self.padded.next_multiple_of(2),
            _ => self.columns.next_multiple_of(2),
        }
    }

    /// Elements of a form, padding included.
    fn length<L: Lanes>(&self, form: Form) -> usize {
        match form {
            Form::Left => self.padded.next_multiple_of(2) * self.left_stride(form),
            Form::LeftTransposed => self.columns.next_multiple_of(2) * self.left_stride(form),
            Form::Right => panels_length::<L>(self.padded, self.columns),
            Form::RightTransposed => panels_length::<L>(self.columns, self.padded),
        }
    }

    /// Elements of one panel of a right operand.
    pub fn panel<L: Lanes>(&self, form: Form) -> usize {
        match form {
            Form::RightTransposed => panel_length::<L>(self.columns),
            _ => panel_length::<L>(self.padded),
        }
    }

    /// A zeroed buffer for a form.
    pub fn room<L: Lanes>(&self, form: Form) -> Buffer<L::E> {
        Buffer::zeros(self.length::<L>(form))
    }

    /// Writes a weight [rows × columns] into the buffer of a form; padding stays zero.
    pub fn pack<L: Lanes>(&self, weight: &[f32], form: Form, out: &mut [L::E]) {
        let (pair, panel, stride) = (L::E::PAIR, self.panel::<L>(form), self.left_stride(form));
        assert_eq!(weight.len(), self.rows * self.columns, "weight of the wrong size");
        assert_eq!(out.len(), self.length::<L>(form), "room of the wrong size");
        let in_panels = |k: usize, n: usize| n / L::NR * panel + k / pair * L::NR * pair + n % L::NR * pair + k % pair;
        for (row, values) in weight.chunks_exact(self.columns).enumerate() {
            let r = self.place(row);
            match form {
                Form::Left => values.iter().enumerate().for_each(|(c, &w)| out[r * stride + c] = L::E::from_f32(w)),
                Form::LeftTransposed => {
                    values.iter().enumerate().for_each(|(c, &w)| out[c * stride + r] = L::E::from_f32(w))
                }
                Form::Right => values.iter().enumerate().for_each(|(c, &w)| out[in_panels(r, c)] = L::E::from_f32(w)),
                Form::RightTransposed => {
                    values.iter().enumerate().for_each(|(c, &w)| out[in_panels(c, r)] = L::E::from_f32(w))
                }
            }
        }
    }

    /// (rows, values between rows) of the padded sums of a gradient.
    pub fn gradient_shape<L: Lanes>(&self) -> (usize, usize) {
        let (rows, columns) =
            if self.transposed_gradient { (self.columns, self.padded) } else { (self.padded, self.columns) };
        (rows.next_multiple_of(2), columns.next_multiple_of(L::LANES))
    }

    /// out = the padded gradient sums, added over threads in order, as the reference's [rows × columns].
    pub fn gather<L: Lanes>(&self, sums: &[&[f32]], out: &mut [f32]) {
        let (_, stride) = self.gradient_shape::<L>();
        for (row, values) in out.chunks_exact_mut(self.columns).enumerate() {
            let r = self.place(row);
            for (t, sums) in sums.iter().enumerate() {
                for (c, value) in values.iter_mut().enumerate() {
                    let sum = if self.transposed_gradient { sums[c * stride + r] } else { sums[r * stride + c] };
                    *value = if t == 0 { sum } else { *value + sum };
                }
            }
        }
    }
}

/// One weight in the forms of the products: for forward passes and, if it is trained, for backward passes.
pub struct PackedMatrix<L: Lanes> {
    matrix: Matrix,
    forms: [Form; 2],
    forward: Buffer<L::E>,
    /// Empty for inference.
    backward: Buffer<L::E>,
}

impl<L: Lanes> PackedMatrix<L> {
    /// Zeroed buffers. `left`: the weight is the left operand; `backward`: it is needed for backward passes.
    pub fn new(matrix: Matrix, left: bool, backward: bool) -> Self {
        let forms = if left { [Form::Left, Form::LeftTransposed] } else { [Form::RightTransposed, Form::Right] };
        Self {
            matrix,
            forms,
            forward: matrix.room::<L>(forms[0]),
            backward: if backward { matrix.room::<L>(forms[1]) } else { Buffer::zeros(0) },
        }
    }

    /// Packs new values, [rows × columns] in the reference's order.
    pub fn pack(&mut self, weight: &[f32]) {
        self.matrix.pack::<L>(weight, self.forms[0], &mut self.forward);
        if !self.backward.is_empty() {
            self.matrix.pack::<L>(weight, self.forms[1], &mut self.backward);
        }
    }

    /// W as the left operand.
    pub fn left(&self) -> Left<'_, L::E> {
        Left::Rows { data: &self.forward, stride: self.matrix.left_stride(self.forms[0]) }
    }

    /// W of gates and ups as the left operand, each block with both.
    pub fn left_gated(&self, half: usize) -> Left<'_, L::E> {
        Left::Gated { data: &self.forward, stride: self.matrix.left_stride(self.forms[0]), half }
    }

    /// Wᵀ as the left operand.
    pub fn left_transposed(&self) -> Left<'_, L::E> {
        Left::Rows { data: &self.backward, stride: self.matrix.left_stride(self.forms[1]) }
    }

    /// Wᵀ as the right operand: x·Wᵀ.
    pub fn right_transposed(&self) -> Right<'_, L::E> {
        Right { data: &self.forward, panel: self.matrix.panel::<L>(self.forms[0]), columns: self.matrix.padded }
    }

    /// W as the right operand: d·W.
    pub fn right(&self) -> Right<'_, L::E> {
        Right { data: &self.backward, panel: self.matrix.panel::<L>(self.forms[1]), columns: self.matrix.columns }
    }
}
