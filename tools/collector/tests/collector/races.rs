//! Concurrent requests.

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{Barrier, Condvar, Mutex},
    thread,
};

use sordino_collector::BlockingServer;

use crate::support::*;

const ROUNDS: u64 = 24;
const CLIENTS: u64 = 8;

/// Sends requests at the same instant, and returns the statuses of the responses.
fn at_once(requests: Vec<(SocketAddr, Request)>) -> Vec<u16> {
    let began = Barrier::new(requests.len());
    thread::scope(|scope| {
        let sent: Vec<_> = requests
            .iter()
            .map(|(address, request)| {
                scope.spawn(|| {
                    began.wait();
                    send(*address, request).status
                })
            })
            .collect();
        sent.into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    })
}

/// The numbers of answered requests of a round.
#[derive(Default)]
struct Answered {
    number: Mutex<usize>,
    changed: Condvar,
}

impl Answered {
    fn count(&self, answer: Response) -> Response {
        *self.number.lock().unwrap() += 1;
        self.changed.notify_all();
        answer
    }

    /// Waits until this many are answered.
    fn wait(&self, number: usize) {
        let few = |answered: &mut usize| *answered < number;
        drop(
            self.changed
                .wait_while(self.number.lock().unwrap(), few)
                .unwrap(),
        );
    }
}

#[test]
fn concurrent_uploads_of_one_sample_store_it_once() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    for round in 0..ROUNDS {
        let (id, file) = (sample(), age_file(1, round));
        let request = (collector.address(), device.put(id, QA, &file));
        let mut statuses = at_once(vec![request; CLIENTS as usize]);
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[CLIENTS as usize - 1]), (200, 201));
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
        assert_eq!(std::fs::read(collector.object(id)).unwrap(), file);
    }
    assert!(collector.files("part").is_empty());
    assert_eq!(
        collector.listed(&collector.token(QA), QA).len() as u64,
        ROUNDS
    );
}

#[test]
fn concurrent_different_uploads_with_one_id_store_one() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    for _ in 0..ROUNDS {
        let id = sample();
        let bodies: Vec<_> = (0..CLIENTS).map(|seed| age_file(1, seed)).collect();
        let requests = bodies
            .iter()
            .map(|body| (collector.address(), device.put(id, QA, body)));
        let statuses = at_once(requests.collect());
        let winners: Vec<_> = (0..bodies.len())
            .filter(|client| statuses[*client] == 201)
            .collect();
        assert_eq!(winners.len(), 1, "{statuses:?}");
        assert!(
            statuses.iter().all(|status| matches!(status, 201 | 409)),
            "{statuses:?}"
        );
        assert_eq!(
            std::fs::read(collector.object(id)).unwrap(),
            bodies[winners[0]]
        );
    }
    assert!(collector.files("part").is_empty());
}

/// Two services on the same database and folder.
#[test]
fn a_withdrawal_during_uploads_leaves_no_sample() {
    let collector = Collector::start();
    let second = BlockingServer::start(collector.config.clone()).unwrap();
    let addresses = [collector.address(), second.address()];
    let (mut came_in, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let device = Device::registered(&collector, QA);
        let twin = sample();
        let ids: Vec<_> = (0..CLIENTS)
            .map(|client| if client < 3 { twin } else { sample() })
            .collect();
        let uploads: Vec<_> = ids
            .iter()
            .map(|id| device.put(*id, QA, &age_file(1, round)))
            .collect();
        // One upload is in progress during the whole withdrawal.
        let (file, address) = (long_age_file(), addresses[(round as usize + 1) % 2]);
        let long = device.put(sample(), QA, &file);
        let mut under_way = connect(address);
        under_way.write_all(long.head().as_bytes()).unwrap();
        under_way.write_all(&file[..LONG_ENOUGH]).unwrap();
        eventually(|| collector.files("part").len() == 1);

        // In each round, the withdrawal is sent after a different number of responses to uploads: before any, at the same
        // instant, to after all but one.
        let first = (round % CLIENTS) as usize;
        let (began, answered) = (Barrier::new(uploads.len() + 1), Answered::default());
        let (statuses, withdrawn) = thread::scope(|scope| {
            let to = addresses.into_iter().cycle();
            let sent: Vec<_> = to
                .zip(&uploads)
                .map(|(address, upload)| {
                    let (began, answered) = (&began, &answered);
                    scope.spawn(move || {
                        began.wait();
                        answered.count(send(address, upload)).status
                    })
                })
                .collect();
            began.wait();
            answered.wait(first);
            let withdrawn = send(addresses[round as usize % 2], &device.withdraw(QA)).status;
            let sent = sent.into_iter().map(|client| client.join().unwrap());
            (sent.collect::<Vec<_>>(), withdrawn)
        });
        assert_eq!(withdrawn, 200);
        under_way.write_all(&file[LONG_ENOUGH..]).unwrap();
        let late = read_response(&mut under_way).unwrap();
        late.problem(410, "withdrawn");
        refused += 1;
        for (id, status) in ids.iter().zip(statuses) {
            assert!(matches!(status, 200 | 201 | 410), "{status}");
            came_in += usize::from(status == 201);
            refused += usize::from(status == 410);
            assert!(!collector.object(*id).exists());
        }
        for upload in uploads.iter().chain([&long]) {
            assert_eq!(send(addresses[1], upload).status, 410);
        }
    }
    assert!(collector.listed(&collector.token(QA), QA).is_empty());
    assert!(collector.files("age").is_empty() && collector.files("part").is_empty());
    // Both outcomes must occur, else nothing was concurrent. An upload may be answered before the withdrawal arrives.
    assert!(
        came_in > 0 && refused > 0,
        "{came_in} came in, {refused} refused"
    );
}

#[test]
fn a_deletion_wins_over_concurrent_uploads() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    for round in 0..ROUNDS {
        let id = sample();
        let upload = device.put(id, QA, &age_file(1, round));
        let mut requests = vec![(collector.address(), upload.clone()); CLIENTS as usize];
        requests.push((collector.address(), device.delete(id)));
        at_once(requests);
        assert_eq!(collector.send(&upload).status, 410);
        assert!(!collector.object(id).exists());
    }
    assert!(collector.files("part").is_empty());
}

/// Two processes on the same database: the log of all downloads is one chain, and no download
/// is missing from it.
#[test]
fn concurrent_downloads_form_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let services = [(); 2].map(|()| Service::start(folder.path(), &[]));
    let collector = Collector::start_with(|config| config.data = folder.path().to_owned());
    let device = Device::registered(&collector, QA);
    let ids: Vec<_> = (0..CLIENTS).map(|_| sample()).collect();
    for (seed, id) in (0..).zip(&ids) {
        let request = device.put(*id, QA, &age_file(1, seed));
        collector.send(&request).expect(201);
    }
    let token = collector.token(QA);
    for _ in 0..ROUNDS {
        let requests = ids
            .iter()
            .zip(services.iter().cycle())
            .map(|(id, service)| {
                let request = Request::new("GET", format!("/v1/samples/{id}?purpose={QA}"))
                    .header("Authorization", format!("Bearer {token}"));
                (service.address(), request)
            });
        let statuses = at_once(requests.collect());
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    }
    let log = collector.log();
    assert_chained(&log);
    for id in ids {
        let noted = log.iter().filter(|entry| entry["sample"] == id.to_string());
        assert_eq!(noted.count() as u64, ROUNDS);
    }
    let head = head_of(&log);
    for service in &services {
        let request = Request::new("GET", "/v1/audit/head");
        assert_eq!(send(service.address(), &request).expect(200).json(), head);
    }
}
