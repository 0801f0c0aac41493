//! Levels for tests, in plain Rust: bfloat16 in sixteen lanes, with products in vectors or in software tiles.
//!
//! They use the same code paths as levels that this CPU may lack:
//! PAIR = 2 layouts, and the tile product down to its six instructions.

use std::cell::RefCell;

use crate::portable::array_arithmetic;
use crate::simd::{Bf16, Element, Lanes, Level, Work};
use crate::tiles::{Config, NoTiles, Tiles};

/// Sixteen lanes, bfloat16 operands.
pub struct Soft<T>(std::marker::PhantomData<T>);
pub type SoftVectors = Soft<NoTiles>;
pub type SoftAmx = Soft<SoftTiles>;

impl<T: Tiles> Lanes for Soft<T> {
    type E = Bf16;
    type B = [Bf16; 32];
    type Tiles = T;
    const MR: usize = if T::PRESENT { 32 } else { 12 };
    array_arithmetic!(16);

    unsafe fn load_operand(from: *const Bf16) -> [Bf16; 32] {
        // SAFETY: trait condition.
        unsafe { from.cast::<[Bf16; 32]>().read_unaligned() }
    }
    unsafe fn broadcast(from: *const Bf16) -> [Bf16; 32] {
        // SAFETY: trait condition.
        let pair = unsafe { from.cast::<[Bf16; 2]>().read_unaligned() };
        std::array::from_fn(|i| pair[i % 2])
    }
    unsafe fn dot(sum: [f32; 16], a: [Bf16; 32], b: [Bf16; 32]) -> [f32; 16] {
        std::array::from_fn(|i| {
            sum[i] + a[2 * i].to_f32() * b[2 * i].to_f32() + a[2 * i + 1].to_f32() * b[2 * i + 1].to_f32()
        })
    }
    unsafe fn load_elements(from: *const Bf16) -> [f32; 16] {
        // SAFETY: trait condition.
        unsafe { from.cast::<[Bf16; 16]>().read_unaligned() }.map(Bf16::to_f32)
    }
    unsafe fn store_elements(to: *mut Bf16, value: [f32; 16]) {
        // SAFETY: trait condition.
        unsafe { to.cast::<[Bf16; 16]>().write_unaligned(value.map(Bf16::from_f32)) }
    }
    unsafe fn store_two(to: *mut Bf16, first: [f32; 16], second: [f32; 16]) {
        // SAFETY: trait condition.
        unsafe {
            Self::store_elements(to, first);
            Self::store_elements(to.add(16), second);
        }
    }
    unsafe fn store_pair(to: *mut Bf16, row: [f32; 16], next: [f32; 16]) {
        let both: [Bf16; 32] =
            std::array::from_fn(|i| Bf16::from_f32(if i % 2 == 0 { row[i / 2] } else { next[i / 2] }));
        // SAFETY: trait condition.
        unsafe { to.cast::<[Bf16; 32]>().write_unaligned(both) }
    }
    unsafe fn load_pair(from: *const Bf16) -> ([f32; 16], [f32; 16]) {
        // SAFETY: trait condition.
        let both = unsafe { Self::load_operand(from) };
        (std::array::from_fn(|i| both[2 * i].to_f32()), std::array::from_fn(|i| both[2 * i + 1].to_f32()))
    }
}

impl<T: Tiles> Level for Soft<T> {
    const NAME: &'static str = if T::PRESENT { "software tiles" } else { "software bfloat16" };
    fn enter<W: Work<Self>>(work: W) -> W::Output {
        // SAFETY: as at the portable level.
        unsafe { work.run() }
    }
}

/// The eight tile registers of one thread, by Intel's manual. They panic where the CPU would fault.
pub struct Registers {
    /// Rows and bytes of a row; none before `configure`.
    shapes: Option<[(usize, usize); 8]>,
    bytes: [[u8; 1024]; 8],
}

thread_local! {
    pub static REGISTERS: RefCell<Registers> =
        const { RefCell::new(Registers { shapes: None, bytes: [[0; 1024]; 8] }) };
}

impl Registers {
    /// # Panics
    /// Where `ldtilecfg` faults: wrong palette, nonzero reserved bytes, shapes too large or with only one side zero.
    pub fn configure(&mut self, config: &[u8; 64]) {
        assert_eq!(config[0], 1, "palette");
        assert!(
            config[1..16].iter().chain(&config[32..48]).chain(&config[56..]).all(|&byte| byte == 0),
            "reserved bytes"
        );
        let shapes = std::array::from_fn(|register| {
            let rows = usize::from(config[48 + register]);
            let row_bytes = usize::from(u16::from_le_bytes([config[16 + 2 * register], config[17 + 2 * register]]));
            assert!(
                rows <= 16 && row_bytes <= 64 && (rows == 0) == (row_bytes == 0),
                "register {register}: {rows} rows of {row_bytes} bytes"
            );
            (rows, row_bytes)
        });
        *self = Self { shapes: Some(shapes), bytes: [[0; 1024]; 8] };
    }

    pub fn release(&mut self) {
        *self = Self { shapes: None, bytes: [[0; 1024]; 8] };
    }

    fn shape(&self, register: usize) -> (usize, usize) {
        let shape = self.shapes.expect("tiles are configured before they are used")[register];
        assert!(shape.0 > 0, "register {register} has no shape");
        shape
    }

    pub fn zero(&mut self, register: usize) {
        self.shape(register);
        self.bytes[register] = [0; 1024];
    }

    /// # Safety
    /// `from` holds the register's rows, `stride` bytes apart.
    pub unsafe fn load(&mut self, register: usize, from: *const u8, stride: usize) {
        let (rows, row_bytes) = self.shape(register);
        self.bytes[register] = [0; 1024];
        for row in 0..rows {
            // SAFETY: the caller's.
            let from = unsafe { std::slice::from_raw_parts(from.add(row * stride), row_bytes) };
            self.bytes[register][row * 64..][..row_bytes].copy_from_slice(from);
        }
    }

    /// # Safety
    /// `to` has room for the register's rows, `stride` bytes apart.
    pub unsafe fn store(&mut self, register: usize, to: *mut u8, stride: usize) {
        let (rows, row_bytes) = self.shape(register);
        for row in 0..rows {
            // SAFETY: the caller's.
            unsafe { std::slice::from_raw_parts_mut(to.add(row * stride), row_bytes) }
                .copy_from_slice(&self.bytes[register][row * 64..][..row_bytes]);
        }
    }

    /// `tdpbf16ps`: sums the pairs of a row in order, starting from zero, and then adds the result to the register.
    pub fn dot(&mut self, sums: usize, left: usize, right: usize) {
        let ((rows, sum_bytes), (left_rows, left_bytes), (right_rows, right_bytes)) =
            (self.shape(sums), self.shape(left), self.shape(right));
        assert!(sums != left && sums != right && left != right, "registers of one product differ");
        assert!(rows == left_rows && sum_bytes == right_bytes && left_bytes == 4 * right_rows, "shapes do not fit");
        let value = |bytes: &[u8], at: usize| Bf16(u16::from_le_bytes([bytes[at], bytes[at + 1]])).to_f32();
        for m in 0..rows {
            for n in 0..sum_bytes / 4 {
                let mut sum = 0f32;
                for k in 0..right_rows {
                    for half in 0..2 {
                        let (a, b) = (
                            value(&self.bytes[left], m * 64 + 4 * k + 2 * half),
                            value(&self.bytes[right], k * 64 + 4 * n + 2 * half),
                        );
                        sum = a.mul_add(b, sum);
                    }
                }
                let at = m * 64 + 4 * n;
                let old = f32::from_le_bytes(self.bytes[sums][at..at + 4].try_into().expect("four bytes"));
                self.bytes[sums][at..at + 4].copy_from_slice(&(old + sum).to_le_bytes());
            }
        }
    }
}

/// Tiles in software.
pub struct SoftTiles;

impl Tiles for SoftTiles {
    const PRESENT: bool = true;
    unsafe fn configure(config: &Config) {
        REGISTERS.with_borrow_mut(|tiles| tiles.configure(&config.0));
    }
    unsafe fn release() {
        REGISTERS.with_borrow_mut(Registers::release);
    }
    unsafe fn zero<const REGISTER: u8>() {
        REGISTERS.with_borrow_mut(|tiles| tiles.zero(REGISTER.into()));
    }
    unsafe fn load<const REGISTER: u8>(from: *const u8, stride: usize) {
        // SAFETY: the trait's condition.
        REGISTERS.with_borrow_mut(|tiles| unsafe { tiles.load(REGISTER.into(), from, stride) });
    }
    unsafe fn store<const REGISTER: u8>(to: *mut u8, stride: usize) {
        // SAFETY: the trait's condition.
        REGISTERS.with_borrow_mut(|tiles| unsafe { tiles.store(REGISTER.into(), to, stride) });
    }
    unsafe fn dot<const SUMS: u8, const LEFT: u8, const RIGHT: u8>() {
        REGISTERS.with_borrow_mut(|tiles| tiles.dot(SUMS.into(), LEFT.into(), RIGHT.into()));
    }
}
