//! Sources and the driver, from outside.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::{Sender, channel},
    thread,
    time::{Duration, Instant},
};

use hound::{SampleFormat, WavSpec, WavWriter};
use sordino::capture::{
    Capture, CaptureError, CaptureEvent, CaptureHandler, Frame, Pace, Source as _, WavFile,
    pcm_channel, read_wav,
};

#[derive(Default)]
struct Received {
    samples: Vec<f32>,
    lengths: Vec<usize>,
    rates: Vec<u32>,
    events: Vec<CaptureEvent>,
}

impl CaptureHandler for Received {
    fn on_frame(&mut self, frame: Frame<'_>) {
        self.samples.extend_from_slice(frame.samples);
        self.lengths.push(frame.samples.len());
        self.rates.push(frame.rate);
    }

    fn on_event(&mut self, event: CaptureEvent) {
        self.events.push(event);
    }
}

fn write_wav(path: &Path, spec: WavSpec, frames: u32) {
    let mut writer = WavWriter::create(path, spec).expect("a fresh file");
    for frame in 0..frames {
        for channel in 0..spec.channels {
            // Channels differ, and so do neighbors; a quarter of full scale at most.
            let value = (f64::from(frame) * 0.01 + f64::from(channel)).sin() * 0.25;
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(value as f32),
                SampleFormat::Int => {
                    let full_scale = f64::from(1_u32 << (spec.bits_per_sample - 1));
                    writer.write_sample((value * full_scale) as i32)
                }
            }
            .expect("room on disk");
        }
    }
    writer.finalize().expect("room on disk");
}

fn spec(bits: u16, sample_format: SampleFormat, channels: u16, rate: u32) -> WavSpec {
    WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: bits,
        sample_format,
    }
}

fn expected(frame: usize, channels: u16) -> f64 {
    let channel = |channel: u16| (frame as f64 * 0.01 + f64::from(channel)).sin() * 0.25;
    (0..channels).map(channel).sum::<f64>() / f64::from(channels)
}

#[test]
fn every_wav_format_is_read_as_the_average_of_its_channels() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.wav");
    let formats = [
        (8, SampleFormat::Int),
        (16, SampleFormat::Int),
        (24, SampleFormat::Int),
        (32, SampleFormat::Int),
        (32, SampleFormat::Float),
    ];
    for (bits, format) in formats {
        for (channels, rate) in [(1, 8_000), (2, 44_100), (8, 48_000), (1, 192_000)] {
            write_wav(&path, spec(bits, format, channels, rate), 1_000);
            let recording = read_wav(&path).expect("a good file");
            assert_eq!((recording.rate, recording.samples.len()), (rate, 1_000));
            let step = 1.0 / f64::from(1_u32 << (bits.min(24) - 1));
            for (frame, sample) in recording.samples.iter().enumerate() {
                let error = (f64::from(*sample) - expected(frame, channels)).abs();
                assert!(
                    error <= step,
                    "{bits} bits, {channels} channels: off by {error}"
                );
            }
            let mut heard = Received::default();
            let file = WavFile::new(&path, Pace::Unthrottled);
            Capture::new(file).run(&mut heard).expect("a good file");
            assert_eq!(heard.samples, recording.samples);
        }
    }
}

#[test]
fn an_unreadable_file_is_reported_with_path_and_reason() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, content: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("room on disk");
        path
    };
    let good = folder.path().join("good.wav");
    write_wav(&good, spec(16, SampleFormat::Int, 1, 48_000), 1_000);
    let good = fs::read(good).expect("just written");
    let silent = folder.path().join("no-sample.wav");
    write_wav(&silent, spec(16, SampleFormat::Int, 1, 48_000), 0);
    let slow = folder.path().join("slow.wav");
    write_wav(&slow, spec(16, SampleFormat::Int, 1, 4_000), 10);
    let not_a_number = folder.path().join("nan.wav");
    let mut writer = WavWriter::create(&not_a_number, spec(32, SampleFormat::Float, 1, 48_000))
        .expect("a fresh file");
    for sample in [0.0, f32::NAN] {
        writer.write_sample(sample).expect("room on disk");
    }
    writer.finalize().expect("room on disk");

    let cases = [
        (folder.path().join("absent.wav"), "No such file"),
        (folder.path().to_owned(), "not a file"),
        (file("empty.wav", b""), "empty"),
        (
            file("text.wav", b"this is not audio, just words"),
            "no RIFF",
        ),
        (file("head.wav", &good[..20]), "truncated"),
        (file("half.wav", &good[..1_000]), "truncated"),
        (file("end.wav", &good[..good.len() - 2]), "truncated"),
        (silent, "no samples"),
        (slow, "4000 Hz"),
        (not_a_number, "sample 1 is not a finite number"),
    ];
    for (path, reason) in cases {
        let read = read_wav(&path).expect_err("it cannot be read").to_string();
        let played = Capture::new(WavFile::new(&path, Pace::Unthrottled))
            .run(&mut Received::default())
            .expect_err("it cannot be played");
        for line in [read, played.to_string()] {
            assert!(line.starts_with(&path.display().to_string()), "{line}");
            assert!(line.contains(reason) && !line.contains('\n'), "{line}");
        }
        assert!(matches!(played, CaptureError::Wav(_)), "{played:?}");
    }
}

#[test]
fn a_recording_over_two_hours_is_rejected_before_allocating() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("long.wav");
    write_wav(&path, spec(8, SampleFormat::Int, 1, 8_000), 10);
    // The same header with another length, and a file as long, but without a byte on disk.
    let mut bytes = fs::read(&path).expect("just written");
    let data = 8_000_u32 * 7_201;
    let header = bytes.len() - 10;
    bytes[header - 4..header].copy_from_slice(&data.to_le_bytes());
    fs::write(&path, &bytes[..header]).expect("room on disk");
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("just written");
    file.set_len(header as u64 + u64::from(data))
        .expect("a sparse file");
    let error = read_wav(&path).expect_err("too long").to_string();
    assert!(
        error.contains("7201 s") && error.contains("7200 s"),
        "{error}"
    );
}

#[test]
fn a_file_in_real_time_takes_its_duration() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.wav");
    write_wav(&path, spec(16, SampleFormat::Int, 1, 48_000), 14_400);
    let mut heard = Received::default();
    // The promise is a time, and a slow machine only makes it longer.
    let start = Instant::now();
    let file = WavFile::new(&path, Pace::RealTime);
    Capture::new(file).run(&mut heard).expect("a good file");
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(heard.lengths, [480; 30]);
}

#[test]
fn a_format_change_of_the_host_is_reported() {
    let (mut feed, source) = pcm_channel(48_000, 1).expect("a known format");
    assert_eq!(feed.push(&[0.25_f32; 480]), 0);
    let (sender, events) = channel();
    let listener = thread::spawn(move || {
        let mut sink = Sends(sender, Received::default());
        Capture::new(source).run(&mut sink).map(|()| sink.1)
    });
    assert!(matches!(events.recv(), Ok(CaptureEvent::Opened(_))));
    feed.change_format(16_000, 2).expect("a known format");
    assert!(feed.change_format(16_000, 0).is_err());
    assert_eq!(feed.push(&[0.5_f32; 320]), 0);
    assert!(matches!(events.recv(), Ok(CaptureEvent::Lost { .. })));
    assert!(matches!(events.recv(), Ok(CaptureEvent::Reopened(format)) if format.rate == 16_000));
    assert_eq!(feed.push(&[f32::NAN; 2]), 0);
    drop(feed);
    assert_eq!(events.recv(), Ok(CaptureEvent::NonFinite { samples: 2 }));
    assert_eq!(events.recv(), Ok(CaptureEvent::Ended));
    let heard = listener.join().expect("no panic").expect("it ends");
    assert_eq!(heard.rates, [48_000, 16_000, 16_000]);
    assert_eq!(heard.samples.len(), 480 + 160 + 1);
}

#[test]
fn an_overrun_is_reported_even_without_further_audio() {
    let (mut feed, source) = pcm_channel(8_000, 1).expect("a known format");
    let lost = feed.push(&vec![0.5_f32; 20_000]);
    assert_eq!(lost, 4_000, "the ring holds two seconds");
    drop(feed);
    let mut heard = Received::default();
    Capture::new(source).run(&mut heard).expect("it ends");
    let overrun = CaptureEvent::Overrun { samples: 4_000 };
    assert_eq!(heard.events[1..], [overrun, CaptureEvent::Ended]);
}

/// Forwards the events of a capture that runs on its own thread.
struct Sends(Sender<CaptureEvent>, Received);

impl CaptureHandler for Sends {
    fn on_frame(&mut self, frame: Frame<'_>) {
        self.1.on_frame(frame);
    }

    fn on_event(&mut self, event: CaptureEvent) {
        let _ = self.0.send(event);
    }
}

#[test]
fn an_overrun_is_reported_while_the_writer_is_open() {
    let (mut feed, source) = pcm_channel(8_000, 1).expect("a known format");
    assert_eq!(feed.push(&vec![0.5_f32; 80_000]), 64_000, "of ten seconds");
    let (sender, events) = channel();
    let capture = thread::spawn(move || {
        let mut sink = Sends(sender, Received::default());
        Capture::new(source).run(&mut sink).map(|()| sink.1)
    });
    assert!(matches!(events.recv(), Ok(CaptureEvent::Opened(_))));
    assert_eq!(events.recv(), Ok(CaptureEvent::Overrun { samples: 64_000 }));
    drop(feed);
    let heard = capture.join().expect("no panic").expect("it ends");
    assert_eq!(heard.samples.len(), 16_000);
}

#[test]
fn consecutive_losses_are_reported_together() {
    let (mut feed, source) = pcm_channel(8_000, 1).expect("a known format");
    for _ in 0..50 {
        feed.report_dropped(1);
        assert_eq!(feed.push(&[0.5_f32; 80]), 0);
    }
    drop(feed);
    let mut heard = Received::default();
    Capture::new(source).run(&mut heard).expect("it ends");
    let overrun = CaptureEvent::Overrun { samples: 50 };
    assert_eq!(heard.events[1..], [overrun, CaptureEvent::Ended]);
}

#[test]
fn a_recording_that_is_written_at_once_arrives_whole() {
    let (mut feed, source) = pcm_channel(8_000, 2).expect("a known format");
    let recording: Vec<f32> = (0..80_000).map(|frame| frame as f32).collect();
    let stereo: Vec<f32> = recording.iter().flat_map(|&s| [s, s]).collect();
    let capture = thread::spawn(move || {
        let mut heard = Received::default();
        Capture::new(source).run(&mut heard).map(|()| heard)
    });
    assert_eq!(feed.write(&stereo, Duration::MAX), 0);
    drop(feed);
    let heard = capture.join().expect("no panic").expect("it ends");
    assert_eq!(heard.samples, recording);
    assert!(
        !heard
            .events
            .iter()
            .any(|event| matches!(event, CaptureEvent::Overrun { .. }))
    );
}

#[test]
fn audio_without_space_in_time_is_dropped_or_left() {
    let (mut feed, _source) = pcm_channel(8_000, 1).expect("a known format");
    assert_eq!(feed.try_push(&[0.5_f32; 20_000]), 16_000);
    assert_eq!(feed.try_push(&[0.5_f32; 10]), 0);
    assert_eq!(feed.write(&[0.5_f32; 10], Duration::from_millis(1)), 10);
}

#[test]
fn a_write_to_a_closed_source_does_not_wait() {
    let (mut feed, mut source) = pcm_channel(8_000, 1).expect("a known format");
    drop(source.open().expect("it is new"));
    assert_eq!(feed.write(&[0.5_f32; 10], Duration::MAX), 10);
}

#[test]
fn audio_of_an_unopened_format_is_reported_as_lost() {
    let (mut feed, source) = pcm_channel(8_000, 1).expect("a known format");
    assert_eq!(feed.push(&[0.5_f32; 30]), 0);
    feed.change_format(16_000, 1).expect("a known format");
    assert_eq!(feed.push(&[0.5_f32; 20]), 0);
    drop(feed);
    let mut heard = Received::default();
    Capture::new(source).run(&mut heard).expect("it ends");
    let overrun = CaptureEvent::Overrun { samples: 30 };
    assert_eq!(heard.events[1..], [overrun, CaptureEvent::Ended]);
    assert_eq!(heard.samples.len(), 20);
}

/// Without the stop it would wait for audio forever.
#[test]
fn a_stop_ends_capture_at_once_from_any_thread() {
    struct SaysOpened(Sender<()>);
    impl CaptureHandler for SaysOpened {
        fn on_frame(&mut self, _: Frame<'_>) {}
        fn on_event(&mut self, event: CaptureEvent) {
            if let CaptureEvent::Opened(_) = event {
                self.0.send(()).expect("the test waits for it");
            }
        }
    }
    let (_feed, source) = pcm_channel(48_000, 1).expect("a known format");
    let capture = Capture::new(source);
    let stopper = capture.stop_handle();
    let (opened, is_open) = channel();
    let running = thread::spawn(move || capture.run(&mut SaysOpened(opened)));
    is_open.recv().expect("it opens");
    stopper.stop();
    running
        .join()
        .expect("no panic")
        .expect("stopped, not failed");
}
