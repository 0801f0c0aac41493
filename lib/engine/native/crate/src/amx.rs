//! AMX: detects whether this CPU has it and this process may use it, and wraps its six instructions,
//! which stable Rust offers only through assembly.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::OnceLock;

use crate::tiles::{Config, Tiles};

/// Whether the CPU multiplies bfloat16 tiles, the system saves them,
/// and the kernel grants them to this process (asked once).
pub fn permitted() -> bool {
    static PERMITTED: OnceLock<bool> = OnceLock::new();
    *PERMITTED.get_or_init(|| cpu_has_tiles() && system_saves_tiles() && granted())
}

/// CPUID leaf 7, EDX: bit 22 is AMX-BF16, bit 24 AMX-TILE.
#[allow(unused_unsafe)] // cpuid is unsafe in older compilers
fn cpu_has_tiles() -> bool {
    const BITS: u32 = 1 << 22 | 1 << 24;
    // SAFETY: every x86-64 CPU has the instruction.
    unsafe { __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & BITS == BITS }
}

/// Whether the system saves tile configuration (bit 17 of XCR0) and tile data (bit 18) on a context switch.
#[allow(unused_unsafe)]
fn system_saves_tiles() -> bool {
    // CPUID leaf 1, ECX bit 27: the system has enabled xgetbv.
    // SAFETY: every x86-64 CPU has cpuid.
    if unsafe { __cpuid(1) }.ecx & (1 << 27) == 0 {
        return false;
    }
    let low: u32;
    // SAFETY: xgetbv is there, checked above; it reads register 0 into edx:eax.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags)) };
    low >> 17 & 0b11 == 0b11
}

/// Linux grants tile data to a process that asks; its threads inherit that.
#[cfg(target_os = "linux")]
fn granted() -> bool {
    const ARCH_PRCTL: usize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const TILE_DATA: usize = 18;
    let result: isize;
    // SAFETY: a system call that takes two numbers; the kernel overwrites rcx and r11 only.
    unsafe {
        asm!("syscall", inlateout("rax") ARCH_PRCTL => result, in("rdi") ARCH_REQ_XCOMP_PERM, in("rsi") TILE_DATA,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result == 0
}

/// The requests of other systems are not implemented.
#[cfg(not(target_os = "linux"))]
fn granted() -> bool {
    false
}

/// The instructions themselves.
pub struct AmxTiles;

// SAFETY of all: the trait's condition. Rust uses no tile registers, so they keep their contents between asm blocks.
impl Tiles for AmxTiles {
    const PRESENT: bool = true;

    #[inline(always)]
    unsafe fn configure(config: &Config) {
        // SAFETY: 64 aligned bytes that make a valid configuration.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) config, options(nostack, preserves_flags, readonly),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _);
        }
    }

    #[inline(always)]
    unsafe fn release() {
        // SAFETY: the trait's condition.
        unsafe {
            asm!("tilerelease", options(nostack, preserves_flags, nomem),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _);
        }
    }

    #[inline(always)]
    unsafe fn zero<const REGISTER: u8>() {
        // SAFETY: the trait's condition.
        unsafe { asm!("tilezero tmm{}", const REGISTER, options(nostack, preserves_flags, nomem)) };
    }

    #[inline(always)]
    unsafe fn load<const REGISTER: u8>(from: *const u8, stride: usize) {
        // SAFETY: the trait's condition.
        unsafe {
            asm!("tileloadd tmm{}, [{} + {} * 1]", const REGISTER, in(reg) from, in(reg) stride,
                options(nostack, preserves_flags, readonly))
        };
    }

    #[inline(always)]
    unsafe fn store<const REGISTER: u8>(to: *mut u8, stride: usize) {
        // SAFETY: the trait's condition.
        unsafe {
            asm!("tilestored [{} + {} * 1], tmm{}", in(reg) to, in(reg) stride, const REGISTER,
                options(nostack, preserves_flags))
        };
    }

    #[inline(always)]
    unsafe fn dot<const SUMS: u8, const LEFT: u8, const RIGHT: u8>() {
        // SAFETY: the trait's condition.
        unsafe {
            asm!("tdpbf16ps tmm{}, tmm{}, tmm{}", const SUMS, const LEFT, const RIGHT,
                options(nostack, preserves_flags, nomem))
        };
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::kernel_tests::Numbers;
    use crate::simd::{Bf16, Element};
    use crate::soft::{REGISTERS, SoftTiles};
    use crate::tiles::{Sums, Tiles, block};

    // On a CPU without AMX, each tile instruction raises SIGILL. This handler decodes its bytes by Intel's manual,
    // emulates it on software tiles, and resumes after it. So the assembly's opcodes, registers, bases and strides are
    // tested everywhere.

    const SIGILL: i32 = 4;
    const SA_SIGINFO: i32 = 4;

    #[repr(C)]
    struct Action {
        handler: usize,
        mask: [u64; 16],
        flags: i32,
        restorer: usize,
    }

    unsafe extern "C" {
        fn sigaction(signal: i32, action: *const Action, old: *mut Action) -> i32;
    }

    /// The start of Linux's ucontext: flags, link, stack (3 words), then the registers.
    #[repr(C)]
    struct Context {
        before: [u64; 5],
        registers: [u64; 23],
    }

    const RIP: usize = 16;
    /// Where the kernel keeps rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 … r15.
    const ORDER: [usize; 16] = [13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7];

    /// A decoded instruction with a three-byte VEX prefix.
    struct Decoded {
        prefix: u8,
        opcode: u8,
        /// vvvv, not inverted.
        third: usize,
        reg: usize,
        /// The register operand; None for an operand in memory.
        rm: Option<usize>,
        base: u64,
        index: u64,
        length: u64,
    }

    unsafe fn decode(at: *const u8, registers: &[u64; 23]) -> Decoded {
        // SAFETY: an instruction of at most eleven bytes was fetched from here.
        let byte = |i: usize| unsafe { *at.add(i) };
        let upper = |bit: u8| usize::from(byte(1) >> bit & 1 ^ 1) << 3;
        assert!(
            byte(0) == 0xc4 && byte(1) & 0x1f == 2 && byte(2) & 0x84 == 0,
            "an illegal instruction that is no tile instruction"
        );
        let (modrm, mut length) = (byte(4), 5);
        let (mode, low) = (modrm >> 6, usize::from(modrm & 7));
        let mut decoded = Decoded {
            prefix: byte(2) & 3,
            opcode: byte(3),
            third: usize::from(byte(2) >> 3 & 15 ^ 15),
            reg: usize::from(modrm >> 3 & 7) + upper(7),
            rm: (mode == 3).then_some(low + upper(5)),
            base: 0,
            index: 0,
            length: 0,
        };
        if mode < 3 {
            let mut displacement = if mode == 0 { 0 } else { mode.into() };
            let value = |register: usize| registers[ORDER[register]];
            if low == 4 {
                let sib = byte(length);
                length += 1;
                let index = usize::from(sib >> 3 & 7) + upper(6);
                decoded.index = if index == 4 { 0 } else { value(index) << (sib >> 6) };
                decoded.base = value(usize::from(sib & 7) + upper(5));
                assert!(mode > 0 || sib & 7 != 5, "an address without base was not expected");
            } else {
                decoded.base = value(low + upper(5));
                assert!(mode > 0 || low != 5, "an address relative to the instruction was not expected");
            }
            if displacement == 1 {
                decoded.base = decoded.base.wrapping_add_signed((byte(length) as i8).into());
            } else if displacement == 2 {
                let far = i32::from_le_bytes([0, 1, 2, 3].map(|i| byte(length + i)));
                decoded.base = decoded.base.wrapping_add_signed(far.into());
                displacement = 4;
            }
            length += displacement;
        }
        decoded.length = length as u64;
        decoded
    }

    unsafe extern "C" fn emulate(_signal: i32, _info: usize, context: *mut Context) {
        // SAFETY: the kernel passes the interrupted thread's registers;
        // the memory operands are those that the instruction would use.
        unsafe {
            let registers = &mut (*context).registers;
            let at = registers[RIP] as *const u8;
            let d = decode(at, registers);
            REGISTERS.with_borrow_mut(|tiles| match (d.opcode, d.prefix, d.rm) {
                (0x49, 0, None) => tiles.configure(&*(d.base as *const [u8; 64])),
                (0x49, 0, Some(0)) => tiles.release(),
                (0x49, 3, Some(0)) => tiles.zero(d.reg),
                (0x4b, 3, None) => tiles.load(d.reg, d.base as *const u8, d.index as usize),
                (0x4b, 2, None) => tiles.store(d.reg, d.base as *mut u8, d.index as usize),
                (0x5c, 2, Some(right)) => tiles.dot(d.reg, right, d.third),
                other => panic!("an illegal instruction that is no tile instruction: {other:?}"),
            });
            registers[RIP] += d.length;
        }
    }

    /// Blocks of all shapes are the same by the instructions, real or emulated,
    /// by the software tiles, and by three loops.
    #[test]
    fn the_six_instructions_do_what_the_software_tiles_do() {
        crate::kernel_tests::name_absent_levels();
        if !permitted() {
            let action =
                Action { handler: emulate as *const () as usize, mask: [0; 16], flags: SA_SIGINFO, restorer: 0 };
            // SAFETY: the structure is Linux's of x86-64; nothing else in these tests handles illegal instructions.
            assert_eq!(unsafe { sigaction(SIGILL, &action, std::ptr::null_mut()) }, 0);
        }
        let mut numbers = Numbers::new(18);
        for (half, steps) in [(1, 1), (3, 16), (8, 17), (16, 31), (16, 32), (13, 49), (5, 7)] {
            let row = 2 * steps + 6;
            let a: Vec<Bf16> = numbers.values(2 * half * row).into_iter().map(Bf16::from_f32).collect();
            let b: Vec<Bf16> = numbers.values(steps * 64).into_iter().map(Bf16::from_f32).collect();
            let (mut real, mut soft, mut narrow) = (Sums::zeros(), Sums::zeros(), Sums::zeros());
            let config = Config::of(half, steps % 16);
            // SAFETY: the operands are as large as the blocks; instructions that the CPU lacks are emulated.
            unsafe {
                let (a0, a1, b) = (a.as_ptr(), a.as_ptr().add(half * row), b.as_ptr());
                AmxTiles::configure(&config);
                block::<AmxTiles, 2>(a0, a1, row, b, steps, half, &mut real);
                block::<AmxTiles, 1>(a0, a1, row, b, steps, half, &mut narrow);
                AmxTiles::release();
                SoftTiles::configure(&config);
                block::<SoftTiles, 2>(a0, a1, row, b, steps, half, &mut soft);
                SoftTiles::release();
            }
            for m in 0..2 * half {
                for n in 0..32 {
                    let product = |k: usize| {
                        f64::from(a[m * row + k].to_f32()) * f64::from(b[k / 2 * 64 + 2 * n + k % 2].to_f32())
                    };
                    let exact: f64 = (0..2 * steps).map(product).sum();
                    let close = |mine: f32| {
                        assert!(
                            (f64::from(mine) - exact).abs() < 1e-4,
                            "{half}, {steps} ({m}, {n}): {mine} against {exact}"
                        )
                    };
                    close(real.0[m * 32 + n]);
                    close(soft.0[m * 32 + n]);
                    if n < 16 {
                        close(narrow.0[m * 16 + n]);
                    }
                }
            }
        }
    }
}
