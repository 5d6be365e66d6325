//! The shared library that Kotlin, Swift and Python load: the SDK's API through UniFFI.
//!
//! * **In**: calls from the host's language; sound as bytes, little-endian, never a list of numbers.
//! * **Out**: the engine's own answers in types that cross; [`Error`]s with one line to act on.
//! * **Promises**: a callback of the app's that raises stops nothing. A panic inside becomes an error
//!   of the host's language and a closed engine, never an unwinding through it.
//! * **Never**: decides anything. It converts and passes on; what holds here holds in
//!   [`sordino::Sordino`].
//!
//! What is exported does not depend on the features `microphone` and `http`, which say what a library can do: bindings
//! that were printed from one library then load another. What needs a feature that is off raises an error that says so.
//!
//! The docs of exported items are written for the reader of KDoc, DocC and docstrings.

mod builder;
mod callbacks;
mod consent;
mod door;
mod error;
mod event;
mod features;
mod listening;
mod mono;
mod process;
#[cfg(feature = "research")]
mod research;
mod samples;
mod scalars;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::Arc;

pub use builder::Builder;
pub use callbacks::{EventListener, Frame, FrameListener, ListenerError};
pub use consent::{
    BundledNotice, ConsentStatus, Notice, NoticeSection, Withdrawal, bundled_notice,
};
pub use error::Error;
pub use event::{CaptureEvent, Event};
pub use features::{LibraryFeatures, library_features};
pub use listening::{Feed, InputDevice, Listening, input_devices};
pub use mono::downmix;
#[cfg(feature = "research")]
pub use research::{
    AnonymizedSound, OpenError, OpenedSound, RemovedSpan, SampleSound, SoundSpan, anonymize_sound,
    decode_sample, open_sealed,
};
pub use samples::{Offer, Plan, Preview, PreviewSound, Sample, Status};
pub use transport::{
    Access, Accesses, Header, Outcome, Request, RequestBody, UploadSummary, Waiting,
};

use door::Door;
use sordino::{
    Id, Purpose, Purposes, Sordino, WithheldReason,
    consent::{AgeBand, ConsentResponse, Guardian, GuardianMethod},
    sampler::{Annotation, MarkOutcome, Moment, RawClip, Selection, Trigger},
    upload::{TaskStatus, UploadTask},
};

/// The engine of one device: captures sound for the app's recognizer and, only where the person has
/// consented, makes anonymous, encrypted samples of it.
///
/// It may be called from many threads. One engine at a time has a state folder open; `shut_down`
/// gives the folder back at once, without waiting for a garbage collector. A defect inside raises
/// `Internal` and shuts the engine down; a new one can be opened on the folder.
///
/// It belongs to the process that opened it. In a process that is forked from that one every call raises `Closed`
/// and touches no state.
#[derive(uniffi::Object)]
#[uniffi(name = "Sordino")]
pub struct Engine {
    door: Arc<Door>,
}

#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Stops listening, seals what was chosen, and gives the state folder back. Every later call
    /// raises `Closed`; shutting down twice does no harm.
    ///
    /// Raises `Capture` where what was being heard had ended by a fault; the engine is shut down
    /// then too.
    pub fn shut_down(&self) -> Result<(), Error> {
        self.door.guard(|| self.door.shut())
    }

    /// Has `listener` told of what happens, on the thread on which it happens; none with `null`. It does
    /// nothing in a process that was forked from the one that opened the engine.
    pub fn set_event_listener(&self, listener: Option<Arc<dyn EventListener>>) {
        if self.door.check_process().is_ok() {
            self.door.events.listen(listener);
        }
    }

    /// Puts a signed sampling plan into force: the JSON that `sordino plan sign` wrote.
    ///
    /// Raises `Plan` where it is not the organization's, out of bounds, expired, or older than the
    /// one in force.
    pub fn install_plan(&self, json: &[u8]) -> Result<(), Error> {
        self.door.pass(|engine| Ok(engine.install_plan(json)?))
    }

    /// The plan in force, whether or not it has expired.
    pub fn plan(&self) -> Result<Option<Plan>, Error> {
        self.door.pass(|engine| Ok(engine.plan().map(Plan::from)))
    }
}

/// Consent.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Where consent stands, and the receipt.
    pub fn consent(&self) -> Result<ConsentStatus, Error> {
        self.door.pass(|engine| Ok(engine.consent()?.into()))
    }

    /// Records a person's yes, purpose by purpose, and returns the receipt that the person gets: a
    /// signed JSON document that names nobody.
    ///
    /// `notice` is the text that was shown, of the version that the plan names. Of a child or of a
    /// person of unknown age nothing is sampled until a guardian has approved: here with
    /// `guardian`, or later with `approve`.
    ///
    /// `guardian_evidence` is what the app could show for it later, at least 16 bytes that nobody could
    /// guess; only its hash is kept.
    ///
    /// Raises `Consent` where no plan is in force, it does not ask for that, it names another
    /// version of the notice, or the evidence is too short.
    #[uniffi::method(default(guardian = None, guardian_evidence = None))]
    pub fn give_consent(
        &self,
        purposes: Purposes,
        age_band: AgeBand,
        notice: Notice,
        guardian: Option<GuardianMethod>,
        guardian_evidence: Option<Vec<u8>>,
    ) -> Result<String, Error> {
        let notice = notice.into();
        let answer = ConsentResponse {
            purposes,
            age_band,
            guardian: guardian.map(|method| Guardian {
                method,
                evidence: guardian_evidence.as_deref(),
            }),
            notice: &notice,
        };
        self.door
            .pass(|engine| Ok(engine.give_consent(&answer)?.to_json()))
    }

    /// Records that the guardian approves of what the child said yes to, and returns the receipt.
    ///
    /// `evidence` is as in `give_consent`.
    ///
    /// Raises `Consent` where nobody is waiting for it, or the evidence is too short.
    #[uniffi::method(default(evidence = None))]
    pub fn approve(
        &self,
        method: GuardianMethod,
        evidence: Option<Vec<u8>>,
    ) -> Result<String, Error> {
        let guardian = Guardian {
            method,
            evidence: evidence.as_deref(),
        };
        self.door
            .pass(|engine| Ok(engine.approve(guardian)?.to_json()))
    }

    /// Notes that the child who said yes has come of age: nothing is sampled any more, and the person is
    /// to be asked anew, as an adult.
    ///
    /// Raises `Consent` where no child's yes stands.
    pub fn come_of_age(&self) -> Result<(), Error> {
        self.door.pass(|engine| Ok(engine.come_of_age()?))
    }

    /// Takes the yes back, for one purpose or for all. Nothing is sampled from this instant on,
    /// pending samples are shredded, and what was sent is asked back with the next upload.
    #[uniffi::method(default(purpose = None))]
    pub fn withdraw(&self, purpose: Option<Purpose>) -> Result<Withdrawal, Error> {
        self.door
            .pass(|engine| Ok(engine.withdraw(purpose)?.into()))
    }
}

/// Samples.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Why nothing may be sampled at this instant; `null` where it may.
    pub fn may_sample(&self) -> Result<Option<WithheldReason>, Error> {
        self.door.pass(|engine| Ok(engine.sampling_blocked()?))
    }

    /// Offers a recording as one sample, as the app's own mark does: it skips the random draw and
    /// keeps consent, the budget and the anonymizer's gate. A longer one than the plan's clip is cut
    /// to its end. The call takes a fraction of a second.
    ///
    /// `samples` are mono 32-bit floats in little-endian bytes, full scale at ±1, at `rate` Hz. The
    /// annotation's times are seconds from their start.
    ///
    /// Raises `Argument` for bytes that are not whole floats, `Clip` for no sound, for NaN and for a
    /// rate outside 8 to 384 kHz, and `Annotation`.
    #[uniffi::method(default(annotation = None))]
    pub fn offer(
        &self,
        samples: &[u8],
        rate: u32,
        annotation: Option<Annotation>,
    ) -> Result<Offer, Error> {
        self.door.pass(|engine| {
            let annotation = annotation.unwrap_or_default();
            annotation.check()?;
            let selection = Selection {
                trigger: Trigger::Mark,
                probability: 1.0,
            };
            let samples = scalars::floats_of(samples)?;
            let clip = RawClip::new(samples, rate, selection, annotation)?;
            Ok(engine.submit(clip)?.into())
        })
    }

    /// Where the device stands.
    pub fn status(&self) -> Result<Status, Error> {
        self.door.pass(|engine| Ok(engine.status()?.into()))
    }

    /// Every sample there ever was, oldest first, and what became of it.
    pub fn samples(&self) -> Result<Vec<Sample>, Error> {
        self.door.pass(|engine| {
            let entries = engine.samples()?;
            Ok(entries.into_iter().map(Sample::from).collect())
        })
    }

    /// Deletes one sample, here at once and at the collector with the next upload.
    ///
    /// Raises `Outbox` where there is none of that id.
    pub fn delete(&self, sample: Id) -> Result<Sample, Error> {
        self.door.pass(|engine| Ok(engine.delete(sample)?.into()))
    }

    /// Deletes every sample, here at once and at the collector with the next upload. Consent stands as it
    /// is.
    pub fn delete_all(&self) -> Result<(), Error> {
        self.door.pass(|engine| Ok(engine.delete_all()?))
    }

    /// All that the device holds of the person, as a zip archive: records, receipts, the texts agreed to,
    /// the list of samples.
    pub fn export_my_data(&self) -> Result<Vec<u8>, Error> {
        self.door.pass(|engine| Ok(engine.export_my_data()?))
    }
}

/// Review: what would be sent, for the person to hear before it is sealed.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// The clips that wait for the person's word, oldest first. They are in memory only.
    pub fn previews(&self) -> Result<Vec<Preview>, Error> {
        self.door.pass(|engine| {
            let previews = engine.previews();
            Ok(previews.into_iter().map(Preview::from).collect())
        })
    }

    /// What would be sent, to be heard.
    ///
    /// Raises `Argument` where no such clip waits.
    pub fn preview(&self, preview: Id) -> Result<PreviewSound, Error> {
        self.door.pass(|engine| Ok(engine.preview(preview)?.into()))
    }

    /// The person says yes to this clip: it is sealed and queued, if consent, plan and budget still
    /// allow it.
    ///
    /// Raises `Argument` where no such clip waits.
    pub fn accept_preview(&self, preview: Id) -> Result<Offer, Error> {
        self.door
            .pass(|engine| Ok(engine.accept_preview(preview)?.into()))
    }

    /// The person says no to this clip: it is wiped.
    ///
    /// Raises `Argument` where no such clip waits.
    pub fn discard_preview(&self, preview: Id) -> Result<(), Error> {
        self.door
            .pass(|engine| Ok(engine.discard_preview(preview)?))
    }
}

/// Listening.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Hears the app's own audio path: push into the feed what the app records, `channels`
    /// interleaved channels at `rate` Hz. `listener` gets it back as mono frames of 10 ms, on a
    /// thread of the engine's, which waits for it. Where consent and plan allow it, moments of what
    /// is heard become samples.
    ///
    /// Raises `Listening` where the engine listens already, and `Capture` for a format that cannot
    /// be taken.
    #[uniffi::method(default(listener = None))]
    pub fn listen_to_host(
        &self,
        rate: u32,
        channels: u16,
        listener: Option<Arc<dyn FrameListener>>,
    ) -> Result<Feed, Error> {
        let ear = callbacks::ear(listener, &self.door.events);
        Feed::start(&self.door, rate, channels, ear)
    }

    /// Marks a moment of what is being heard, because the recognizer was unsure or wrong. It is
    /// taken with the plan's probability and within its budget, and without consent not at all.
    ///
    /// Raises `Mark` where nothing is being heard, nothing may be sampled, or the moment is over.
    pub fn mark(&self, moment: Moment) -> Result<MarkOutcome, Error> {
        self.door.pass(|engine| Ok(engine.mark(moment)?))
    }
}

#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Hears the machine's microphone: the system's default one, or the `device` with an id from
    /// `input_devices`. `listener` gets mono frames of 10 ms, on a thread of the engine's, which
    /// waits for it. A microphone that goes away is opened anew; events tell.
    ///
    /// Raises `Listening` where the engine listens already, and `Capture` where there is no
    /// microphone, the app may not use it, or the library has none of its own: see `library_features`.
    #[uniffi::method(default(device = None, listener = None))]
    pub fn listen_to_microphone(
        &self,
        device: Option<String>,
        listener: Option<Arc<dyn FrameListener>>,
    ) -> Result<Listening, Error> {
        let ear = callbacks::ear(listener, &self.door.events);
        Listening::start(&self.door, device, ear)
    }
}

/// Upload by the app's own HTTP, which may go on while the app sleeps.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// The next request that is due, if one is. Send it as it is and hand what came of it to
    /// `finish`, until there is none.
    pub fn next_request(&self) -> Result<Option<Request>, Error> {
        self.door
            .pass(|engine| Ok(engine.next_upload_task()?.map(Request::from)))
    }

    /// As `next_request`, for a person who asks for it now: waits after failures are passed over,
    /// but for those that the collector asked for. `tried` are the tasks that failed since the
    /// person asked.
    pub fn next_request_now(&self, tried: Vec<UploadTask>) -> Result<Option<Request>, Error> {
        self.door.pass(|engine| {
            let tried = tried.into_iter().collect();
            let request = engine.next_upload_task_now(&tried)?;
            Ok(request.map(Request::from))
        })
    }

    /// As `next_request`, but withdrawals and deletions alone: send them at once and over any network.
    pub fn next_urgent_request(&self) -> Result<Option<Request>, Error> {
        self.door
            .pass(|engine| Ok(engine.next_urgent_upload_task()?.map(Request::from)))
    }

    /// As `next_request`, but all else: these may wait for a time that suits the system.
    pub fn next_deferrable_request(&self) -> Result<Option<Request>, Error> {
        self.door
            .pass(|engine| Ok(engine.next_deferrable_upload_task()?.map(Request::from)))
    }

    /// Whether the request for `task`, which was handed out, should still go. Whoever hands uploads over to the system
    /// cancels those that this says no to whenever consent or samples change.
    pub fn is_still_wanted(&self, task: UploadTask) -> Result<bool, Error> {
        self.door.pass(|engine| Ok(engine.is_still_wanted(&task)?))
    }

    /// Takes in what came of the request for `task`, after a restart of the app too.
    pub fn finish(&self, task: UploadTask, outcome: Outcome) -> Result<TaskStatus, Error> {
        self.door
            .pass(|engine| Ok(engine.process_upload_result(&task, outcome.into())?))
    }

    /// Has the collector asked for a newer plan with the next requests, however lately it was.
    pub fn renew_plan(&self) -> Result<(), Error> {
        self.door.pass(|engine| Ok(engine.renew_plan()?))
    }

    /// The request that asks the collector who opened a sample; `read_accesses` reads what came of it.
    ///
    /// Raises `Outbox` where there is no such sample.
    pub fn accesses_request(&self, sample: Id) -> Result<Request, Error> {
        self.door
            .pass(|engine| Ok(engine.accesses_request(sample)?.into()))
    }

    /// Who opened a sample, from what came of the request of `accesses_request`, which had this task. What the
    /// collector proves of its access log is verified.
    ///
    /// Raises `Upload` where the collector did not tell, or where it is to be asked again, since another answer was read
    /// meanwhile.
    pub fn read_accesses(&self, task: UploadTask, outcome: Outcome) -> Result<Accesses, Error> {
        self.door
            .pass(|engine| Ok(engine.read_accesses(&task, outcome.into())?.into()))
    }
}

/// Upload by the built-in client.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Sends all that is due and waits for it. It stops where the collector cannot be reached; what
    /// the collector says stands in the summary.
    ///
    /// Raises `Upload` where the library has no client: see `library_features`.
    pub fn upload_now(&self) -> Result<UploadSummary, Error> {
        self.door.pass(features::upload_now)
    }

    /// Who opened a sample, asked of the collector now.
    ///
    /// Raises `Upload` where it does not answer or the library has no client, and `Outbox` where there is no
    /// such sample.
    pub fn accesses(&self, sample: Id) -> Result<Accesses, Error> {
        self.door.pass(|engine| features::accesses(engine, sample))
    }
}

/// Forgets all that a state folder holds, also where it is damaged: consent, samples, keys. What was
/// registered with the collector is withdrawn as a whole; the next engine on the folder sends that. No
/// engine may have the folder open.
///
/// Returns whether the plan was kept; it could not be where the folder was damaged, and is to be installed
/// again.
///
/// Raises `State` where one has, or where a newer version wrote it, and `Argument` where no engine ever had
/// it open.
#[uniffi::export]
pub fn reset(folder: String) -> Result<bool, Error> {
    door::caught(|| Ok(Sordino::reset(std::path::Path::new(&folder))?))
}

uniffi::setup_scaffolding!();
