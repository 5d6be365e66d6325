//! The audio callback's part of capture neither allocates nor frees, for any sample format,
//! also when the ring runs over; and it makes no system call.
//!
//! [`PcmWriter::push`](sordino::capture::PcmWriter::push) is the exact code that runs inside the
//! microphone's callback.

use sordino::capture::{Capture, Frame, PcmWriter, Sample, pcm_channel};

use super::without_allocating;

const RATE: u32 = 48_000;
/// 10 ms of stereo.
const BLOCK: usize = 960;
/// Three times what the ring holds.
const BLOCKS: usize = 600;

/// Runs the ring over, takes what went in, and fills it again over the gap.
fn run_over<S: Sample>(feed: &mut PcmWriter, block: &[S]) -> u64 {
    (0..BLOCKS).map(|_| feed.push(block)).sum()
}

fn hold<S: Sample>(block: &[S]) {
    let (mut feed, source) = pcm_channel(RATE, 2).expect("a known format");
    let lost = without_allocating(|| {
        feed.report_dropped(7);
        7 + run_over(&mut feed, block)
    });
    assert!(lost > 0, "the ring was to run over");
    drop(feed);
    let (mut taken, mut reported) = (0, 0);
    Capture::new(source)
        .run(&mut |frame: Frame<'_>| {
            taken += frame.samples.len() as u64;
            reported += frame.lost;
        })
        .expect("it ends");
    assert_eq!(reported, 7, "only the first gap is followed by a sample");
    assert_eq!(taken + lost, 7 + (BLOCKS * BLOCK / 2) as u64);
}

#[test]
fn the_callback_does_not_allocate_in_any_sample_format() {
    hold(&[1_i8; BLOCK]);
    hold(&[1_u8; BLOCK]);
    hold(&[1_i16; BLOCK]);
    hold(&[1_u16; BLOCK]);
    hold(&[1_i32; BLOCK]);
    hold(&[1_u32; BLOCK]);
    hold(&[1_i64; BLOCK]);
    hold(&[1_u64; BLOCK]);
    hold(&[0.5_f32; BLOCK]);
    hold(&[f32::NAN; BLOCK]);
    hold(&[0.5_f64; BLOCK]);
    hold(&[[0_u8, 64]; BLOCK]);
    hold(
        &0.5_f32
            .to_le_bytes()
            .map(|_| [0_u8, 0, 0, 63])
            .repeat(BLOCK / 4),
    );
}

#[cfg(feature = "microphone")]
#[test]
fn the_callback_does_not_allocate_in_formats_of_24_bits() {
    hold(&[cpal::I24::new(1).expect("in range"); BLOCK]);
    hold(&[cpal::U24::new(1).expect("in range"); BLOCK]);
}

/// Linux's strict seccomp mode kills a thread at any system call but read, write, exit and
/// sigreturn; nothing else ends with it.
#[cfg(target_os = "linux")]
#[test]
fn the_callback_makes_no_system_call() {
    use std::process::Command;

    const CHILD: &str = "SORDINO_TEST_SECCOMP";
    if std::env::var_os(CHILD).is_some() {
        // A killed thread has no result, and joining it panics; its output shows the cause.
        let _ = std::panic::catch_unwind(|| std::thread::spawn(push_in_strict_mode).join());
        std::process::exit(0);
    }
    let this = std::env::current_exe().expect("a test has a path");
    let child = Command::new(this)
        .args(["the_callback_makes_no_system_call", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("this very program starts");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        said.contains("all pushed"),
        "the callback made a system call"
    );
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // Strict mode is entered, and left, by system calls that std does not have.
fn push_in_strict_mode() {
    use std::ffi::{c_int, c_long, c_ulong, c_void};

    const PR_SET_SECCOMP: c_int = 22;
    const SECCOMP_MODE_STRICT: c_ulong = 1;
    const SAID: &[u8] = b"all pushed\n";

    unsafe extern "C" {
        fn prctl(option: c_int, argument: c_ulong, ...) -> c_int;
        fn write(file: c_int, bytes: *const c_void, length: usize) -> isize;
        fn syscall(number: c_long, ...) -> c_long;
    }

    #[cfg(target_arch = "x86_64")]
    const SYS_EXIT: c_long = 60;
    #[cfg(not(target_arch = "x86_64"))]
    const SYS_EXIT: c_long = 93;

    let (mut feed, source) = pcm_channel(RATE, 2).expect("a known format");
    let block = [0.5_f32; BLOCK];
    // SAFETY: the calls take plain numbers and a live buffer with its length.
    unsafe {
        assert_eq!(
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT),
            0,
            "seccomp is there"
        );
        feed.report_dropped(7);
        let lost = run_over(&mut feed, &block);
        if lost > 0 {
            write(1, SAID.as_ptr().cast(), SAID.len());
        }
        // Nothing may be dropped any more: freeing may be a system call.
        std::mem::forget((feed, source));
        syscall(SYS_EXIT, 0);
    }
    unreachable!("the thread has ended")
}
