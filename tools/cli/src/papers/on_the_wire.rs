//! What leaves the device, byte by byte.

use sordino::disclosure::{
    AGE_FILE, ARCHIVE, BodyShape, Field, MANIFEST, NETWORK, REQUESTS, Seen, Shape,
};

use super::{facts::Facts, paper::Paper};

pub(super) fn write(facts: &Facts) -> String {
    let mut paper = Paper::new(
        "What leaves the device, byte by byte",
        "Every request, every header, every member, every layer of the sealed file. A test reads a device's traffic and \
         finds nothing that is not here, and meets each request, header and member that is \
         (tools/cli/tests/cli/on_the_wire/mod.rs). Whoever never said yes makes no connection at all.",
    );
    paper.paragraph(
        "This is what the built-in client sends. A phone's app sends with its own client (URLSession, OkHttp), which adds \
         headers unless told not to: `User-Agent`, `Accept-Language`, `Accept-Encoding`, `Cookie`. Set them empty or \
         answer for them.",
    );
    paper.paragraph(facts.source());
    paper.table(&["", ""], facts.rows());
    for request in REQUESTS {
        paper.heading(&format!(
            "To {}: `{} {}`",
            request.name, request.method, request.path
        ));
        paper.paragraph(format!("Sent {}.", request.when));
        paper.paragraph("Headers:");
        table_of(&mut paper, request.headers);
        match request.body {
            BodyShape::Empty => paper.paragraph("No body."),
            BodyShape::Json(fields) => {
                paper.paragraph("Body: a JSON object of these members.");
                table_of(&mut paper, fields);
            }
            BodyShape::AgeFile => paper.paragraph("Body: the sealed sample, below."),
        }
    }
    paper.heading("The sealed sample");
    paper.paragraph("To whoever has no key, the collector among them:");
    seen(&mut paper, AGE_FILE);
    paper.paragraph("To whoever holds the QA key:");
    seen(&mut paper, ARCHIVE);
    paper.paragraph("`manifest.json`:");
    table_of(&mut paper, MANIFEST);
    paper.heading("Below HTTP");
    paper.paragraph("What the network sees; no code of ours can hide it.");
    seen(&mut paper, NETWORK);
    paper.finish()
}

fn table_of(paper: &mut Paper, fields: &[Field]) {
    let (same, own): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| field.holds == Field::SAME);
    paper.table(
        &["", "holds", "can be", "personal", "why"],
        own.iter().map(|field| {
            vec![
                format!("`{}`", field.name),
                field.holds.to_owned(),
                in_words(field.shape),
                field.personal.as_str().to_owned(),
                field.why.to_owned(),
            ]
        }),
    );
    if !same.is_empty() {
        paper.paragraph(
            "These are the same on every device; they are there so that the document says by itself what was agreed to:",
        );
        paper.table(
            &["", "always"],
            same.iter()
                .map(|field| vec![format!("`{}`", field.name), in_words(field.shape)]),
        );
    }
}

fn seen(paper: &mut Paper, layers: &[Seen]) {
    paper.table(
        &["", "looks", "tells"],
        layers
            .iter()
            .map(|layer| vec![layer.what, layer.looks, layer.tells]),
    );
}

fn in_words(shape: Shape) -> String {
    match shape {
        Shape::Text(pattern) => format!("`{pattern}`"),
        Shape::OneOf(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join(" or ")
        }
        Shape::Whole(least, most) if least == most => least.to_string(),
        Shape::Whole(least, most) => format!("{least} to {most}, whole"),
        Shape::Number(least, most) => format!("{least} to {most}"),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Always(json) => {
            let words: Vec<&str> = json.split_whitespace().collect();
            format!("`{}`", words.join(" "))
        }
        Shape::Object => "an object".to_owned(),
        Shape::List(most) => format!("a list of at most {most}"),
    }
}
