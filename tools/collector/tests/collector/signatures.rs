//! Signatures cover all parts of a request that have an effect.

use crate::support::*;

#[test]
fn every_covered_component_is_verified() {
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
fn a_modified_signed_request_is_rejected() {
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
    // The case of the header and the default port are not significant.
    collector
        .send(&signed.set("Host", "COLLECTOR.example"))
        .expect(201);
}

#[test]
fn a_key_signs_only_for_its_own_record() {
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
    // Validly signed by another registered record, about this one.
    collector
        .send(&withdrawal.sign(&other))
        .problem(401, "bad-signature");
}

#[test]
fn only_the_protocols_signature_parameters_are_accepted() {
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
    // An additional signature, for example of a proxy, is ignored.
    let with_proxy = signed
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
            headers: with_proxy.collect(),
            ..signed.clone()
        })
        .expect(201);
}

#[test]
fn a_replay_has_no_further_effect() {
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
    // The replayed registration did not restore the withdrawn purpose.
    collector
        .send(&device.put(sample(), QA, &age_file(1, 2)))
        .problem(403, "not-granted");
}
