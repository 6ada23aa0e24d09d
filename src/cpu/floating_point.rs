//! The floating-point environment: the rounding mode and flags that RandomX changes and Rust relies on.
//!
//! Rust assumes rounding to nearest and the default flags; code that runs while they are altered, and any `f64` after
//! it, is undefined. So whatever alters them runs inside [`preserving`].

/// Runs `f`, which may alter the floating-point environment, and restores it. `f` itself must not use floats of Rust's
/// after it has altered anything.
pub fn preserving<T>(f: impl FnOnce() -> T) -> T {
    let _restore = Restore(control::read());
    f()
}

/// Restores the control register also when a panic goes through.
struct Restore(control::Word);

impl Drop for Restore {
    fn drop(&mut self) {
        control::write(self.0);
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the control register is reached by two instructions that no safe function offers")]
mod control {
    use core::arch::asm;

    pub(super) type Word = u32;

    /// Reads MXCSR.
    pub(super) fn read() -> Word {
        let mut word: Word = 0;
        // SAFETY: stores four bytes into a live variable, touches nothing else.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags));
        }
        word
    }

    /// Writes MXCSR.
    pub(super) fn write(word: Word) {
        // SAFETY: loads four bytes that `read` gave, so no reserved bit is set.
        unsafe {
            asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags, readonly));
        }
    }
}

#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "the control register is reached by two instructions that no safe function offers")]
mod control {
    use core::arch::asm;

    pub(super) type Word = u64;

    /// Reads FPCR.
    pub(super) fn read() -> Word {
        let word: Word;
        // SAFETY: reads a register.
        unsafe {
            asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags));
        }
        word
    }

    /// Writes FPCR.
    pub(super) fn write(word: Word) {
        // SAFETY: writes what `read` gave.
        unsafe {
            asm!("msr fpcr, {}", in(reg) word, options(nomem, nostack, preserves_flags));
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod control {
    // The interpreter of the reference uses fesetround here, and restores it itself in the calls that we make.
    pub(super) type Word = ();
    pub(super) fn read() -> Word {}
    pub(super) fn write((): Word) {}
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use std::hint::black_box;

    use super::*;

    /// Rounding towards zero: bits 13 and 14 of MXCSR.
    const TOWARDS_ZERO: u32 = 0x6000;

    #[test]
    fn the_rounding_mode_comes_back() {
        let before = control::read();
        // A fresh thread, so that a failure can't spoil other tests.
        std::thread::spawn(move || {
            let inside = preserving(|| {
                control::write(before | TOWARDS_ZERO);
                control::read()
            });
            assert_eq!(inside & TOWARDS_ZERO, TOWARDS_ZERO);
            assert_eq!(control::read(), before);
            assert_eq!(black_box(1.0_f64) / black_box(10.0), 0.1);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn the_rounding_mode_comes_back_through_a_panic() {
        std::thread::spawn(|| {
            let before = control::read();
            let result = std::panic::catch_unwind(|| {
                preserving(|| {
                    control::write(control::read() | TOWARDS_ZERO);
                    std::panic::resume_unwind(Box::new(()));
                })
            });
            assert!(result.is_err());
            assert_eq!(control::read(), before);
        })
        .join()
        .unwrap();
    }
}
