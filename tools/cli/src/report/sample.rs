//! One recording: before, after and the notes, over one axis of time.

use std::fmt::{self, Display, Write as _};

use sordino::sampler::Note;
use sordino_scoring::{NoteStatus, ONSET_TOLERANCE};

use super::{
    axis::Axis,
    comparison::Comparison,
    escape::Text,
    model::{Fact, Removed, ReportError, ReviewView, SampleView},
    picture,
    sound::Sound,
    timeline::Timeline,
};
use crate::notes;

/// Frequencies named on the axis, in Hz.
const NAMED_FREQUENCIES: [(f64, &str); 6] = [
    (100.0, "100"),
    (250.0, "250"),
    (500.0, "500"),
    (1_000.0, "1k"),
    (2_000.0, "2k"),
    (5_000.0, "5k"),
];
/// A removed part narrower than this share of the picture has no label.
const MIN_LABEL_WIDTH: f64 = 0.07;
/// Height of a semitone in the piano roll, in rem.
const SEMITONE: f64 = 0.45;

/// A recording as an `article` whose heading has the id `id`.
pub(super) fn render(view: &SampleView, id: &str) -> Result<String, ReportError> {
    let before = view.before.as_ref().and_then(Sound::prepared);
    let after = view.after.as_ref().and_then(Sound::prepared);
    let axis = Axis::new(view, before.as_ref(), after.as_ref());
    let tolerance = view.onset_tolerance.unwrap_or(ONSET_TOLERANCE);
    let compared = |annotation| Comparison::new(annotation, tolerance);
    let comparison = view.annotation.as_ref().map(compared);
    let comparison = comparison.filter(|comparison| !comparison.is_empty());
    let frame = Frame {
        view,
        axis,
        comparison: comparison.as_ref(),
    };

    let mut html = String::new();
    let mut tracks = String::new();
    if let Some(sound) = &before {
        let timeline = Timeline::whole(sound.seconds());
        let heading = "Before: as the microphone heard it";
        tracks += &frame.track("before", heading, sound, &timeline)?;
    }
    let heading = view.outcome.disposition.of_what_is_left();
    match &after {
        Some(sound) => {
            let timeline = Timeline::of_kept(&view.kept, sound.seconds());
            tracks += &frame.track("after", heading, sound, &timeline)?;
        }
        None => {
            let _ = write!(
                tracks,
                "<div class=\"track after\"><div class=\"head\"><h4>{heading}</h4></div>\
                 <div class=\"lane\"><div class=\"nothing\"><span>{}</span></div></div></div>",
                Text(&view.outcome.text)
            );
        }
    }
    // Writing into a String does not fail.
    let _ = frame.write(&mut html, &tracks, id);
    Ok(html)
}

/// What all tracks of a recording share.
struct Frame<'a> {
    view: &'a SampleView,
    axis: Axis,
    comparison: Option<&'a Comparison>,
}

impl Frame<'_> {
    fn write(&self, html: &mut String, tracks: &str, id: &str) -> fmt::Result {
        let SampleView { name, outcome, .. } = self.view;
        let fate = outcome.disposition;
        write!(
            html,
            "<article class=\"sample\" aria-labelledby=\"{id}\"><header><h3 id=\"{id}\">{}</h3>\
             <span class=\"fate {}\">{}</span>",
            Text(name),
            fate.class(),
            fate.word()
        )?;
        if let Some(tag) = self.tag() {
            write!(html, "<code class=\"tag\">{}</code>", Text(tag))?;
        }
        html.push_str("</header>");
        if let Some(file) = &self.view.file {
            let file = Text(file);
            write!(html, "<p class=\"file\"><a href=\"{file}\">{file}</a></p>")?;
        }
        // Where nothing is left, the empty track says it.
        if !outcome.text.is_empty() && self.view.after.is_some() {
            write!(html, "<p class=\"outcome\">{}</p>", Text(&outcome.text))?;
        }
        write!(html, "<div class=\"tracks\">{tracks}")?;
        if let Some(comparison) = self.comparison {
            self.write_notes(html, comparison)?;
        }
        self.write_time(html)?;
        html.push_str("</div>");
        self.write_removed(html)?;
        write_verdicts(html, &self.view.verdicts)?;
        write_facts(html, &self.view.facts)?;
        html.push_str("</article>\n");
        Ok(())
    }

    fn tag(&self) -> Option<&str> {
        self.view.annotation.as_ref()?.tag.as_deref()
    }

    /// Waveform, spectrogram and player of one sound.
    fn track(
        &self,
        class: &str,
        heading: &str,
        sound: &Sound,
        timeline: &Timeline,
    ) -> Result<String, ReportError> {
        let sample = || self.view.name.clone();
        let seconds = self.axis.0;
        let png = picture::spectrogram(sound, timeline, seconds).map_err(|reason| {
            ReportError::Picture {
                sample: sample(),
                reason,
            }
        })?;
        let player = sound.data_uri().map_err(|reason| ReportError::Sound {
            sample: sample(),
            reason,
        })?;
        let mut html = String::new();
        let _ = write!(
            html,
            "<div class=\"track {class}\" data-map=\"{map}\" data-seconds=\"{seconds:.3}\">\
             <div class=\"head\"><h4>{heading}</h4>\
             <audio controls=\"controls\" preload=\"metadata\" aria-label=\"{name}, {heading}\" \
             src=\"{player}\"></audio></div>\
             <div class=\"lane\"><div class=\"axis hertz\" aria-hidden=\"true\">{hertz}</div>\
             <div class=\"picture\" data-label=\"{name}, {heading}: position\">\
             <svg class=\"wave\" viewBox=\"0 0 400 100\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\"><path d=\"{wave}\"/></svg>\
             <div class=\"spectrum\"><img src=\"{png}\" width=\"{width}\" height=\"{height}\" \
             alt=\"{alt}\"/>{overlay}</div>{gaps}<div class=\"playhead\"></div></div></div></div>",
            map = timeline.to_json(),
            name = Text(&self.view.name),
            hertz = hertz_labels(),
            wave = picture::waveform(sound, timeline, seconds),
            png = picture::data_uri(&png),
            width = picture::COLUMNS,
            height = picture::ROWS,
            alt = Text(&self.alternative(class)),
            overlay = self.overlay(),
            gaps = Gaps(&self.view.removed, self.axis),
        );
        Ok(html)
    }

    /// What the spectrogram shows, for those who do not see it.
    fn alternative(&self, class: &str) -> String {
        let removed: Vec<String> = self
            .axis
            .spans(&self.view.removed)
            .map(|(start, end, reason)| format!("{start:.1} to {end:.1} s ({reason})"))
            .collect();
        let gaps = match (removed.is_empty(), class) {
            (true, _) => "Nothing was taken out.".to_owned(),
            (_, "before") => format!("Marked as taken out: {}.", removed.join(", ")),
            _ => format!("Empty where taken out: {}.", removed.join(", ")),
        };
        let notes = self.comparison.map(Comparison::summary).unwrap_or_default();
        format!(
            "Spectrogram of {:.1} s, {class} anonymizing. {gaps} {notes}",
            self.axis.0
        )
    }

    /// The notes at their pitch over the spectrogram.
    fn overlay(&self) -> String {
        let Some(comparison) = self.comparison else {
            return String::new();
        };
        let mut marks = String::new();
        let mut mark = |note: &Note, class: &str| {
            let hertz = 440.0 * ((f64::from(note.midi) - 69.0) / 12.0).exp2();
            let height = picture::height_of(hertz) * 100.0;
            if let Some((left, width)) = self.axis.place_note(note)
                && (0.0..=100.0).contains(&height)
            {
                let _ = write!(
                    marks,
                    "<line class=\"{class}\" x1=\"{left:.2}\" x2=\"{:.2}\" y1=\"{height:.1}\" \
                     y2=\"{height:.1}\"/>",
                    left + width
                );
            }
        };
        for (note, _) in &comparison.expected {
            mark(note, "expected");
        }
        for (note, status) in &comparison.recognized {
            mark(note, class(*status));
        }
        format!(
            "<svg class=\"overlay\" viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\">{marks}</svg>"
        )
    }

    /// A small piano roll.
    fn write_notes(&self, html: &mut String, comparison: &Comparison) -> fmt::Result {
        let Some((lowest, highest)) = comparison.range() else {
            return Ok(());
        };
        let steps = f64::from(highest - lowest) + 3.0;
        let height = 100.0 / steps;
        let mut blocks = String::new();
        let mut block = |note: &Note, list: &str, class: &str| {
            if let Some((left, width)) = self.axis.place_note(note) {
                let top = (f64::from(highest - note.midi) + 1.0) * height;
                let _ = write!(
                    blocks,
                    "<i class=\"note {class}\" title=\"{list}: {} at {:.2} s\" \
                     style=\"left:{left:.2}%;width:{width:.2}%;top:{top:.1}%;height:{height:.1}%\">\
                     </i>",
                    notes::name(note.midi),
                    note.onset
                );
            }
        };
        for (note, status) in &comparison.expected {
            let missed = if *status == NoteStatus::Missed {
                "expected missed"
            } else {
                "expected"
            };
            block(note, "expected", missed);
        }
        for (note, status) in &comparison.recognized {
            block(note, "recognised", class(*status));
        }
        let summary = comparison.summary();
        write!(
            html,
            "<div class=\"notes\"><div class=\"head\"><h4>Notes: what the app expected and \
             recognized</h4></div><div class=\"lane\"><div class=\"axis pitch\" \
             aria-hidden=\"true\"><span style=\"top:{:.1}%\">{}</span><span \
             style=\"top:{:.1}%\">{}</span></div><div class=\"roll\" role=\"img\" \
             style=\"height:{roll:.2}rem\" aria-label=\"{summary}\">{blocks}</div></div>\
             <p class=\"summary\">{summary}</p></div>",
            1.5 * height,
            notes::name(highest),
            100.0 - 1.5 * height,
            notes::name(lowest),
            roll = (steps * SEMITONE).clamp(4.0, 12.0),
        )
    }

    fn write_time(&self, html: &mut String) -> fmt::Result {
        html.push_str(
            "<div class=\"lane\"><div></div><div class=\"axis time\" aria-hidden=\"true\">",
        );
        let step = self.axis.tick();
        let mut time = 0.0;
        while time <= self.axis.0 {
            let unit = if time == 0.0 { " s" } else { "" };
            write!(
                html,
                "<span style=\"left:{:.2}%\">{time}{unit}</span>",
                time / self.axis.0 * 100.0
            )?;
            time += step;
        }
        html.push_str("</div></div>");
        Ok(())
    }

    /// What was taken out, in words.
    fn write_removed(&self, html: &mut String) -> fmt::Result {
        let mut removed = self.axis.spans(&self.view.removed).peekable();
        if removed.peek().is_none() {
            return Ok(());
        }
        html.push_str("<p class=\"removed\">Taken out:");
        for (index, (start, end, reason)) in removed.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(
                html,
                "{comma} <span>{start:.2}–{end:.2} s <b>{}</b></span>",
                Text(reason)
            )?;
        }
        html.push_str("</p>");
        Ok(())
    }
}

/// The stretches as blocks over a picture.
struct Gaps<'a>(&'a [Removed], Axis);

impl Display for Gaps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (start, end, reason) in self.1.spans(self.0) {
            if let Some((left, width)) = self.1.place(start, end) {
                let reason = Text(reason);
                write!(
                    f,
                    "<div class=\"gap\" title=\"{reason}, {start:.2}–{end:.2} s\" \
                     style=\"left:{left:.2}%;width:{width:.2}%\">"
                )?;
                if width >= MIN_LABEL_WIDTH * 100.0 {
                    write!(f, "<span>{reason}</span>")?;
                }
                f.write_str("</div>")?;
            }
        }
        Ok(())
    }
}

fn hertz_labels() -> String {
    NAMED_FREQUENCIES
        .iter()
        .map(|&(hertz, name)| {
            let top = picture::height_of(hertz) * 100.0;
            format!("<span style=\"top:{top:.1}%\">{name}</span>")
        })
        .collect::<Vec<_>>()
        .concat()
        + "<span class=\"unit\">Hz</span>"
}

/// What people said of the sample.
fn write_verdicts(html: &mut String, verdicts: &[ReviewView]) -> fmt::Result {
    if verdicts.is_empty() {
        return Ok(());
    }
    html.push_str("<ul class=\"verdicts\" aria-label=\"Verdicts\">");
    for ReviewView { who, verdict, note } in verdicts {
        write!(
            html,
            "<li><b>{}</b> <span>{}</span>",
            Text(verdict),
            Text(who)
        )?;
        if !note.is_empty() {
            write!(html, "<q>{}</q>", Text(note))?;
        }
        html.push_str("</li>");
    }
    html.push_str("</ul>");
    Ok(())
}

fn write_facts(html: &mut String, facts: &[Fact]) -> fmt::Result {
    if facts.is_empty() {
        return Ok(());
    }
    html.push_str("<details><summary>Manifest</summary><dl class=\"facts\">");
    for Fact { label, value } in facts {
        write!(html, "<dt>{}</dt><dd>{}</dd>", Text(label), Text(value))?;
    }
    html.push_str("</dl></details>");
    Ok(())
}

/// The class that colors a recognized note.
fn class(status: NoteStatus) -> &'static str {
    match status {
        NoteStatus::Right => "right",
        NoteStatus::Octave => "octave",
        NoteStatus::Wrong => "wrong",
        NoteStatus::Missed => "missed",
        NoteStatus::Extra => "extra",
    }
}
