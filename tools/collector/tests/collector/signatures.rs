//! A signature vouches for each thing that is acted on.

use crate::support::*;

#[test]
fn a_signature_of_another_value_of_any_covered_component_is_bad() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let record = Device::new();
    let requests = [
        device.draft(sample(), BOTH, &age_file(1, 1)),
        device
            .delete(sample())
            .without("Signature")
            .without("Signature-Input"),
        device
            .accesses(sample())
            .without("Signature")
            .without("Signature-Input"),
        device
            .withdraw(QA)
            .without("Signature")
            .without("Signature-Input"),
    ];
    for request in requests {
        let covered = request.covered();
        for changed in &covered {
            let signed = request.clone().sign_as(
                &device.key,
                &covered,
                &parameters(device.record),
                |name, value| {
                    if name == *changed {
                        format!("{value}x")
                    } else {
                        value
                    }
                },
            );
            collector.send(&signed).problem(401, "bad-signature");
        }
    }
    let request = record
        .register(1, QA)
        .without("Signature")
        .without("Signature-Input");
    let covered = request.covered();
    for changed in &covered {
        let signed = request.clone().sign_as(
            &record.key,
            &covered,
            &parameters(record.record),
            |name, value| {
                if name == *changed {
                    format!("{value}x")
                } else {
                    value
                }
            },
        );
        collector.send(&signed).problem(401, "bad-signature");
    }
    collector
        .send(&record.withdraw(QA))
        .problem(404, "unknown-record");
    assert!(collector.files("age").is_empty());
}

#[test]
fn a_request_changed_after_it_was_signed_is_refused() {
    let collector = Collector::start();
    let device = Device::registered(&collector, BOTH);
    let signed = device.put(sample(), QA, &age_file(1, 1));
    let elsewhere = format!("/v1/samples/{}", sample());
    for changed in [
        Request {
            target: elsewhere.clone(),
            ..signed.clone()
        },
        Request {
            method: "DELETE".to_owned(),
            ..signed.clone()
        },
        signed.clone().set("Host", "elsewhere.example"),
        signed.clone().set("Sordino-Purposes", BOTH),
        signed
            .clone()
            .set("Sordino-Recipients", recipients_digest(&[recipient(2)])),
        signed.clone().set(
            "Content-Digest",
            Request::new("", "").body(vec![1]).headers[1].1.clone(),
        ),
    ] {
        let answer = collector.send(&changed);
        assert!(matches!(answer.status, 400 | 401), "{}", answer.head);
    }
    // Neither the header's case nor the default port is part of what was signed.
    collector
        .send(&signed.set("Host", "COLLECTOR.example"))
        .expect(201);
}

#[test]
fn another_records_key_does_not_sign_for_this_one() {
    let collector = Collector::start();
    let (device, other) = (
        Device::registered(&collector, QA),
        Device::registered(&collector, QA),
    );
    let draft = device.draft(sample(), QA, &age_file(1, 1));
    let covered = draft.covered();
    let forged = draft.sign_as(
        &other.key,
        &covered,
        &parameters(device.record),
        |_, value| value,
    );
    collector.send(&forged).problem(401, "bad-signature");
    let withdrawal = device
        .withdraw(QA)
        .without("Signature")
        .without("Signature-Input");
    // Well signed by another registered record, about this one.
    collector
        .send(&withdrawal.sign(&other))
        .problem(401, "bad-signature");
}

#[test]
fn only_the_shape_in_the_protocol_is_taken() {
    let collector = Collector::start();
    let device = Device::registered(&collector, QA);
    let draft = device.draft(sample(), QA, &age_file(1, 1));
    let covered = draft.covered();
    let good = parameters(device.record);
    let fewer: Vec<&str> = covered[..covered.len() - 1].to_vec();
    let reversed: Vec<&str> = covered.iter().rev().copied().collect();
    let more: Vec<&str> = covered.iter().copied().chain(["host"]).collect();
    let keyid = format!(";keyid=\"{}\"", device.record);
    for (covered, parameters) in [
        (&fewer, good.clone()),
        (&reversed, good.clone()),
        (&more, good.clone()),
        (&covered, keyid.clone()),
        (&covered, ";alg=\"ed25519\"".to_owned()),
        (&covered, format!(";alg=\"ed25519\"{keyid}")),
        (&covered, format!("{keyid};alg=\"hmac-sha256\"")),
        (&covered, format!("{keyid};alg=ed25519")),
        (&covered, format!("{good};created=1618884473")),
        (&covered, format!("{good};nonce=\"x\"")),
        (&covered, ";keyid=\"somebody\";alg=\"ed25519\"".to_owned()),
        (&covered, ";keyid=\"".to_owned()),
    ] {
        let signed = draft
            .clone()
            .sign_as(&device.key, covered, &parameters, |_, value| value);
        collector.send(&signed).problem(400, "malformed");
    }
    let signed = draft.clone().sign(&device);
    let queried = Request {
        target: format!("{}?x=1", draft.target),
        ..draft.clone()
    };
    for (request, status, name) in [
        (draft.clone(), 401, "bad-signature"),
        (signed.clone().without("Signature"), 401, "bad-signature"),
        (
            signed.clone().without("Signature-Input"),
            401,
            "bad-signature",
        ),
        (
            signed.clone().set("Signature", "sordino=:AAAA:"),
            401,
            "bad-signature",
        ),
        (
            signed.clone().set("Signature", "sordino=x"),
            401,
            "bad-signature",
        ),
        (
            signed.clone().set("Signature", "other=:AAAA:"),
            401,
            "bad-signature",
        ),
        (
            signed.clone().set("Signature", "\u{e9}"),
            401,
            "bad-signature",
        ),
        (signed.clone().set("Signature", ":::"), 401, "bad-signature"),
        (
            signed.clone().set("Signature-Input", "sordino=("),
            400,
            "malformed",
        ),
        (
            signed.clone().header("Host", "another.example"),
            400,
            "malformed",
        ),
        (signed.clone().without("Host"), 400, "malformed"),
        (queried.sign(&device), 400, "malformed"),
    ] {
        let answer = collector.send(&request);
        if name == "bad-signature" {
            assert!(answer.header("www-authenticate").is_some());
        }
        answer.problem(status, name);
    }
    // A signature of somebody else's beside it, a proxy's say, is let be.
    let beside = signed
        .headers
        .iter()
        .map(|(name, value)| match name.as_str() {
            "Signature-Input" => (
                name.clone(),
                format!("proxy=(\"@path\");created=1, {value}"),
            ),
            "Signature" => (name.clone(), format!("proxy=:AAAA:, {value}")),
            _ => (name.clone(), value.clone()),
        });
    collector
        .send(&Request {
            headers: beside.collect(),
            ..signed.clone()
        })
        .expect(201);
}

#[test]
fn a_replay_says_what_was_said_already() {
    let collector = Collector::start();
    let device = Device::new();
    let id = sample();
    let requests = [
        device.register(1, BOTH),
        device.put(id, BOTH, &age_file(1, 1)),
        device.withdraw(QA),
        device.delete(id),
    ];
    for request in &requests {
        collector.send(request);
    }
    for (request, status) in requests.iter().zip([200, 410, 200, 204]) {
        collector.send(request).expect(status);
    }
    // The replayed registration did not give back what was withdrawn.
    collector
        .send(&device.put(sample(), QA, &age_file(1, 2)))
        .problem(403, "not-granted");
}
