//! Power cuts, killed processes, folders that fail.

use std::{
    io::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::json;
use sordino::Id;
use sordino_collector::{BlockingServer, Config};
use test_tiers::{is_soak, sized};

use crate::support::*;

#[test]
fn a_restart_keeps_everything() {
    let mut collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let (kept, deleted) = (sample(), sample());
    let file = age_file(1, 1);
    collector.send(&device.put(kept, BOTH, &file)).expect(201);
    collector
        .send(&device.put(deleted, BOTH, &age_file(1, 2)))
        .expect(201);
    collector.send(&device.delete(deleted)).expect(204);
    let token = collector.token(QA);
    let target = format!("/v1/samples/{kept}?purpose={QA}");
    collector.read(&token, &target).expect(200);
    let page = collector
        .read(&token, "/v1/samples?purpose=quality-assurance")
        .json();

    collector.restart();
    assert_eq!(
        collector
            .read(&token, "/v1/samples?purpose=quality-assurance")
            .json(),
        page
    );
    assert_eq!(collector.read(&token, &target).expect(200).body, file);
    collector.send(&device.register(1, BOTH)).expect(200);
    collector.send(&device.put(kept, BOTH, &file)).expect(200);
    collector
        .send(&device.put(deleted, BOTH, &age_file(1, 2)))
        .problem(410, "deleted");
    let accesses = collector.send(&device.accesses(kept)).expect(200).json();
    assert_eq!(accesses["accesses"].as_array().unwrap().len(), 2);
    let withdrawn = collector
        .read(&token, "/v1/withdrawn?purpose=quality-assurance")
        .json();
    assert_eq!(withdrawn["ids"], json!([deleted]));
}

/// The number of kills of a service: each after a different number of responses, so that it is hit at different points.
/// The exact point is random: three clients always wait for a response, so that some six rounds hit each part of an
/// upload; many more hit rare points.
fn kills() -> usize {
    sized(6, 100)
}

/// The number of responses that a round waits for.
fn answers(round: usize) -> usize {
    let drawn = if is_soak() {
        sample().to_string()
    } else {
        String::new()
    };
    match u64::from_str_radix(drawn.get(..15).unwrap_or_default(), 16) {
        Ok(drawn) => 1 + (drawn % 60) as usize,
        Err(_) => 1 + 7 * round,
    }
}

#[test]
fn acknowledged_requests_survive_sigkill() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new();
    let gone = Device::new();
    let kept: Mutex<Vec<(Id, u64)>> = Mutex::default();
    let service = Service::start(folder.path(), &[]);
    send(service.address(), &device.register(1, QA)).expect(201);
    send(service.address(), &gone.register(1, QA)).expect(201);
    drop(service);
    for round in 0..kills() {
        let service = Service::start(folder.path(), &[]);
        let address = service.address();
        let enough = kept.lock().unwrap().len() + answers(round);
        thread::scope(|scope| {
            for client in 0..3 {
                let (device, kept) = (&device, &kept);
                scope.spawn(move || {
                    for number in 0.. {
                        let id = sample();
                        let seed = (round as u64 * 10 + client) * 1_000_000 + number;
                        let request = device.put(id, QA, &age_file(1, seed));
                        match try_send(address, &request) {
                            Some(answer) => assert_eq!(answer.status, 201),
                            None => return,
                        }
                        kept.lock().unwrap().push((id, seed));
                    }
                });
            }
            eventually(|| kept.lock().unwrap().len() >= enough);
            drop(service);
        });
    }
    let kept = kept.into_inner().unwrap();
    assert!(kept.len() >= kills());

    // The worst leftovers of such a crash: a partial upload and an object without a row.
    let orphan = folder.path().join(format!("{}.age", sample()));
    let partial = folder
        .path()
        .join(format!("{}.{}.part", sample(), sample()));
    let foreign = folder.path().join("foreign.age");
    for path in [&orphan, &partial, &foreign] {
        std::fs::write(path, age_file(1, 1)).unwrap();
    }
    let collector = Collector::start_with(|config| {
        config.data = folder.path().to_owned();
        config.maintenance_interval = Config::new("").maintenance_interval;
    });
    eventually(|| collector.files("part").is_empty() && !orphan.exists());
    assert!(foreign.exists());
    for (id, seed) in &kept {
        let bytes = std::fs::read(collector.object(*id)).unwrap();
        assert!(
            bytes == age_file(1, *seed),
            "an acknowledged sample changed"
        );
    }
    let listed = collector.listed(&collector.token(QA), QA);
    assert_eq!(
        listed.len(),
        collector.files("age").len() - 1,
        "a row for each object"
    );
    for (id, _) in &kept {
        assert!(listed.contains(&id.to_string()));
    }
}

#[test]
fn the_access_log_survives_sigkill() {
    const READERS: usize = 3;
    let folder = tempfile::tempdir().unwrap();
    let (device, id) = (Device::new(), sample());
    let setup = Collector::start_with(|config| config.data = folder.path().to_owned());
    setup.send(&device.register(1, QA)).expect(201);
    setup.send(&device.put(id, QA, &age_file(1, 1))).expect(201);
    let request = Request::new("GET", format!("/v1/samples/{id}?purpose={QA}"))
        .header("Authorization", format!("Bearer {}", setup.token(QA)));
    drop(setup);
    let answered = AtomicUsize::new(0);
    for round in 0..kills() {
        let service = Service::start(folder.path(), &[]);
        let address = service.address();
        let enough = answered.load(Ordering::SeqCst) + answers(round);
        thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| {
                    while let Some(answer) = try_send(address, &request) {
                        assert_eq!(answer.status, 200);
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            eventually(|| answered.load(Ordering::SeqCst) >= enough);
            drop(service);
        });
        let collector = Collector::start_with(|config| config.data = folder.path().to_owned());
        let noted = collector.log();
        assert_chained(&noted);
        let answered = answered.load(Ordering::SeqCst);
        // A recorded access may have been cut off before its response arrived.
        let most = answered + READERS * (round + 1);
        assert!(
            (answered..=most).contains(&noted.len()),
            "{answered} answered, {} noted",
            noted.len()
        );
    }
    assert!(answered.into_inner() >= kills());
}

#[test]
fn a_repeated_withdrawal_removes_a_leftover_object() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let id = sample();
    collector
        .send(&device.put(id, QA, &age_file(1, 1)))
        .expect(201);
    let (object, aside) = (collector.object(id), collector.data().join("aside"));
    // A folder in the object's place: removing it as a file fails for every user.
    std::fs::rename(&object, &aside).unwrap();
    std::fs::create_dir(&object).unwrap();
    collector
        .send(&device.withdraw(QA))
        .problem(500, "internal");
    // The samples are unavailable nevertheless.
    assert!(collector.listed(&collector.token(QA), QA).is_empty());
    std::fs::remove_dir(&object).unwrap();
    std::fs::rename(&aside, &object).unwrap();
    collector.send(&device.withdraw(QA)).expect(200);
    assert!(!object.exists());
}

#[test]
fn a_start_completes_interrupted_deletions() {
    let mut collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let id = sample();
    let file = age_file(1, 1);
    collector.send(&device.put(id, QA, &file)).expect(201);
    collector.send(&device.withdraw(QA)).expect(200);
    std::fs::write(collector.object(id), file).unwrap();
    collector.config.maintenance_interval = Config::new("").maintenance_interval;
    collector.restart();
    eventually(|| !collector.object(id).exists());
}

#[test]
fn a_failing_folder_loses_no_acknowledged_sample() {
    let collector = Collector::start_with(|config| {
        let folder = config.data.join("objects");
        config.objects = Some(format!("file://{}", folder.display()).parse().unwrap());
    });
    let folder = collector.data().join("objects");
    let device = Device::registered(&collector, QA);
    let request = device.put(sample(), QA, &age_file(1, 1));
    let aside = collector.data().join("aside");
    std::fs::rename(&folder, &aside).unwrap();
    collector.send(&request).problem(500, "internal");
    assert!(collector.listed(&collector.token(QA), QA).is_empty());
    std::fs::rename(&aside, &folder).unwrap();
    collector.send(&request).expect(201);
    assert_eq!(files(&folder, "age").len(), 1);
}

#[test]
fn a_damaged_object_is_not_served() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let id = sample();
    collector
        .send(&device.put(id, QA, &age_file(1, 1)))
        .expect(201);
    let token = collector.token(QA);
    let target = format!("/v1/samples/{id}?purpose={QA}");
    std::fs::write(collector.object(id), age_file(1, 2)).unwrap();
    collector.read(&token, &target).problem(500, "internal");
    std::fs::remove_file(collector.object(id)).unwrap();
    collector.read(&token, &target).problem(500, "internal");
    assert_eq!(
        collector.send(&device.accesses(id)).json(),
        json!({"accesses": [], "head": head_of(&[])})
    );
}

#[test]
fn a_starting_service_keeps_uploads_of_another() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let file = long_age_file();
    let mut stream = connect(collector.address());
    let request = device.put(sample(), QA, &file);
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(&file[..LONG_ENOUGH]).unwrap();
    eventually(|| collector.files("part").len() == 1);
    let service = Service::start(collector.data(), &[]);
    // Twice, so that one run is complete.
    for _ in 0..2 {
        let orphan = collector.object(sample());
        std::fs::write(&orphan, &file).unwrap();
        let mut config = collector.config.clone();
        config.maintenance_interval = Config::new("").maintenance_interval;
        let _sweeps = BlockingServer::start(config).unwrap();
        eventually(|| !orphan.exists());
    }
    drop(service);
    stream.write_all(&file[LONG_ENOUGH..]).unwrap();
    read_response(&mut stream).unwrap().expect(201);
}

#[test]
fn many_services_can_start_on_one_new_folder() {
    let folder = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let service = Service::start(folder.path(), &[]);
                send(service.address(), &Request::new("GET", "/healthz")).expect(200);
            });
        }
    });
}
