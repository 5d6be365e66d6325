//! Criterion benches of the stages from the audio callback to the sealed sample.

mod rig;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sordino::{
    anonymize::{Anonymizer, Settings},
    capture::pcm_channel,
    seal::seal,
};

fn callback(criterion: &mut Criterion) {
    let (mut writer, source) = pcm_channel(48_000, 2).expect("a format");
    let drain = rig::Drain::start(source);
    let samples = rig::ten_milliseconds();
    criterion.bench_function("callback, 10 ms of stereo", |bencher| {
        bencher.iter(|| writer.push(&samples));
    });
    drop(writer);
    drain.join();
}

fn clip(criterion: &mut Criterion) {
    let device = rig::Device::new();
    let (grants, recipients) = (device.grants(), device.recipients());
    let mut anonymizer = Anonymizer::new().expect("embedded weights");
    let mut group = criterion.benchmark_group("10 s clip");
    // One element is a second of audio: the throughput is the multiple of real time.
    group
        .throughput(Throughput::Elements(rig::CLIP_SECONDS))
        .sample_size(20);
    group.bench_function("anonymize", |bencher| {
        bencher.iter_batched(
            rig::clip,
            |clip| anonymizer.anonymize(clip, Settings::default()),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("seal", |bencher| {
        bencher.iter_batched(
            rig::anonymous,
            |clip| seal(clip, &grants, &recipients, rig::week()),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, callback, clip);
criterion_main!(benches);
