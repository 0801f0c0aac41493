//! The x86-64 levels: AVX2 and AVX-512 in float32, AVX-512 with bfloat16 products, in vectors or in AMX tiles.

use crate::amx::AmxTiles;
use crate::simd::{Bf16, Lanes, Level, Work};
use crate::tiles::NoTiles;
use std::arch::x86_64::*;

/// AVX2 and FMA, float32.
pub struct Avx2;
/// AVX-512 (F, BW, DQ, VL), float32.
pub struct Avx512;
/// AVX-512 with `vdpbf16ps`.
pub struct Avx512Bf16;
/// As [`Avx512Bf16`], with products in AMX tiles.
pub struct Amx;

// SAFETY of all methods below: by the condition of `Lanes`, the instructions exist and pointers are valid.

/// Operations that are one instruction each.
macro_rules! instructions {
    ($($name:ident($($a:ident),+) = $instruction:ident;)+) => {$(
        #[inline(always)]
        unsafe fn $name($($a: Self::F),+) -> Self::F {
            unsafe { $instruction($($a),+) }
        }
    )+};
}

macro_rules! float32_operands {
    () => {
        type E = f32;
        type B = Self::F;
        type Tiles = NoTiles;
        #[inline(always)]
        unsafe fn load_operand(from: *const f32) -> Self::F {
            unsafe { Self::load(from) }
        }
        #[inline(always)]
        unsafe fn broadcast(from: *const f32) -> Self::F {
            unsafe { Self::splat(*from) }
        }
        #[inline(always)]
        unsafe fn dot(sum: Self::F, a: Self::F, b: Self::F) -> Self::F {
            unsafe { Self::fma(a, b, sum) }
        }
        #[inline(always)]
        unsafe fn load_elements(from: *const f32) -> Self::F {
            unsafe { Self::load(from) }
        }
        #[inline(always)]
        unsafe fn store_elements(to: *mut f32, value: Self::F) {
            unsafe { Self::store(to, value) }
        }
        #[inline(always)]
        unsafe fn store_two(to: *mut f32, first: Self::F, second: Self::F) {
            unsafe {
                Self::store(to, first);
                Self::store(to.add(Self::LANES), second);
            }
        }
        #[inline(always)]
        unsafe fn store_pair(to: *mut f32, row: Self::F, next: Self::F) {
            unsafe {
                Self::store(to, row);
                Self::store(to.add(Self::NR), next);
            }
        }
        #[inline(always)]
        unsafe fn load_pair(from: *const f32) -> (Self::F, Self::F) {
            unsafe { (Self::load(from), Self::load(from.add(Self::NR))) }
        }
    };
}

macro_rules! zmm_arithmetic {
    () => {
        type F = __m512;
        const LANES: usize = 16;
        #[inline(always)]
        unsafe fn splat(value: f32) -> __m512 {
            unsafe { _mm512_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, value: __m512) {
            unsafe { _mm512_storeu_ps(to, value) }
        }
        instructions! {
            add(a, b) = _mm512_add_ps;
            sub(a, b) = _mm512_sub_ps;
            mul(a, b) = _mm512_mul_ps;
            div(a, b) = _mm512_div_ps;
            max(a, b) = _mm512_max_ps;
            sqrt(a) = _mm512_sqrt_ps;
            fma(a, b, c) = _mm512_fmadd_ps;
            fnma(a, b, c) = _mm512_fnmadd_ps;
            scale(a, n) = _mm512_scalef_ps;
        }
        #[inline(always)]
        unsafe fn where_greater(a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
            unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b), no, yes) }
        }
        #[inline(always)]
        unsafe fn round(a: __m512) -> __m512 {
            unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
        }
        #[inline(always)]
        unsafe fn sum(a: __m512) -> f32 {
            unsafe { _mm512_reduce_add_ps(a) }
        }
        #[inline(always)]
        unsafe fn largest(a: __m512) -> f32 {
            unsafe { _mm512_reduce_max_ps(a) }
        }
    };
}

macro_rules! bf16_operands {
    () => {
        type E = Bf16;
        type B = __m512bh;

        #[inline(always)]
        unsafe fn load_operand(from: *const Bf16) -> __m512bh {
            unsafe { std::mem::transmute::<__m512i, __m512bh>(_mm512_loadu_si512(from.cast())) }
        }
        #[inline(always)]
        unsafe fn broadcast(from: *const Bf16) -> __m512bh {
            unsafe { std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(from.cast::<i32>().read_unaligned())) }
        }
        #[inline(always)]
        unsafe fn dot(sum: __m512, a: __m512bh, b: __m512bh) -> __m512 {
            unsafe { _mm512_dpbf16_ps(sum, a, b) }
        }
        #[inline(always)]
        unsafe fn load_elements(from: *const Bf16) -> __m512 {
            unsafe {
                _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()))))
            }
        }
        #[inline(always)]
        unsafe fn store_elements(to: *mut Bf16, value: __m512) {
            unsafe {
                _mm256_storeu_si256(to.cast(), std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(value)))
            }
        }
        #[inline(always)]
        unsafe fn store_two(to: *mut Bf16, first: __m512, second: __m512) {
            unsafe {
                _mm512_storeu_si512(
                    to.cast(),
                    std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(second, first)),
                )
            }
        }
        #[inline(always)]
        unsafe fn store_pair(to: *mut Bf16, row: __m512, next: __m512) {
            unsafe {
                // Lane i of the first half goes to 2i, of the second to 2i + 1.
                let order = _mm512_set_epi16(
                    31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3,
                    18, 2, 17, 1, 16, 0,
                );
                let halves = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(next, row));
                _mm512_storeu_si512(to.cast(), _mm512_permutexvar_epi16(order, halves));
            }
        }
        #[inline(always)]
        unsafe fn load_pair(from: *const Bf16) -> (__m512, __m512) {
            unsafe {
                let both = _mm512_loadu_si512(from.cast());
                let upper = _mm512_and_si512(both, _mm512_set1_epi32(0xffff_0000_u32 as i32));
                (_mm512_castsi512_ps(_mm512_slli_epi32::<16>(both)), _mm512_castsi512_ps(upper))
            }
        }
        /// Relative error below 1e-4, a fortieth of bfloat16's rounding.
        #[inline(always)]
        unsafe fn exp(x: __m512) -> __m512 {
            unsafe {
                // e^x = 2^⌊t⌋ · 2^r: minimax polynomial for 2^r on [0, 1]; scalef takes the floor itself.
                let t = _mm512_mul_ps(x, _mm512_set1_ps(std::f32::consts::LOG2_E));
                let r = _mm512_reduce_ps::<0x09>(t);
                let p = _mm512_fmadd_ps(r, _mm512_set1_ps(0.078_024_52), _mm512_set1_ps(0.226_067_16));
                let p = _mm512_fmadd_ps(r, p, _mm512_set1_ps(0.695_833_54));
                let p = _mm512_fmadd_ps(r, p, _mm512_set1_ps(0.999_925_2));
                _mm512_scalef_ps(p, t)
            }
        }
        #[inline(always)]
        unsafe fn sigmoid(x: __m512) -> __m512 {
            unsafe {
                let negative = _mm512_xor_ps(x, _mm512_set1_ps(-0.0));
                _mm512_rcp14_ps(_mm512_add_ps(Self::exp(negative), _mm512_set1_ps(1.0)))
            }
        }
    };
}

impl Lanes for Avx512 {
    const MR: usize = 12;
    zmm_arithmetic!();
    float32_operands!();
}

impl Lanes for Avx512Bf16 {
    const MR: usize = 12;
    type Tiles = NoTiles;
    zmm_arithmetic!();
    bf16_operands!();
}

impl Lanes for Amx {
    /// Two tiles of sixteen rows.
    const MR: usize = 32;
    type Tiles = AmxTiles;
    zmm_arithmetic!();
    bf16_operands!();
}

impl Lanes for Avx2 {
    type F = __m256;
    const LANES: usize = 8;
    const MR: usize = 6;
    float32_operands!();

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m256 {
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m256) {
        unsafe { _mm256_storeu_ps(to, value) }
    }
    instructions! {
        add(a, b) = _mm256_add_ps;
        sub(a, b) = _mm256_sub_ps;
        mul(a, b) = _mm256_mul_ps;
        div(a, b) = _mm256_div_ps;
        max(a, b) = _mm256_max_ps;
        sqrt(a) = _mm256_sqrt_ps;
        fma(a, b, c) = _mm256_fmadd_ps;
        fnma(a, b, c) = _mm256_fnmadd_ps;
    }
    #[inline(always)]
    unsafe fn where_greater(a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) }
    }
    #[inline(always)]
    unsafe fn round(a: __m256) -> __m256 {
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    unsafe fn scale(a: __m256, n: __m256) -> __m256 {
        unsafe {
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
            _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
        }
    }
    #[inline(always)]
    unsafe fn sum(a: __m256) -> f32 {
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    unsafe fn largest(a: __m256) -> f32 {
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}

macro_rules! level {
    ($level:ident, $name:literal, $features:literal) => {
        impl Level for $level {
            const NAME: &'static str = $name;
            fn enter<W: Work<Self>>(work: W) -> W::Output {
                #[target_feature(enable = $features)]
                fn entered<W: Work<$level>>(work: W) -> W::Output {
                    // SAFETY: inside the level.
                    unsafe { work.run() }
                }
                // SAFETY: a level is used only after its instructions were detected (`Level`).
                unsafe { entered(work) }
            }
        }
    };
}
level!(Avx2, "avx2", "avx2,fma");
level!(Avx512, "avx512", "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
level!(Avx512Bf16, "avx512bf16", "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma");
level!(Amx, "amx", "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma");
