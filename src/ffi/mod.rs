//! The face for Kotlin, Swift and Python, through UniFFI.
//!
//! * **In**: calls from the host's language; sound as bytes, little-endian, never a list of numbers.
//! * **Out**: the engine's own answers in types that cross; [`Error`]s with one line to act on.
//! * **Promises**: a callback of the app's that raises stops nothing. A panic here becomes an error
//!   of the host's language, never an unwinding through it.
//! * **Never**: decides anything. It converts and passes on; what holds here holds in
//!   [`crate::Sordino`].
//!
//! The docs of exported items are written for the reader of KDoc, DocC and docstrings.

mod callbacks;
mod consent;
mod error;
mod event;
mod listening;
mod samples;
mod scalars;
mod transport;

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

pub use callbacks::{EventListener, Frame, FrameListener, ListenerError};
pub use consent::{ConsentStatus, Notice, Withdrawal, bundled_notice};
pub use error::Error;
pub use event::{CaptureEvent, Event};
pub use listening::Feed;
#[cfg(feature = "microphone")]
pub use listening::{InputDevice, Listening, input_devices};
pub use samples::{Offer, Plan, Sample, Status};
#[cfg(feature = "http")]
pub use transport::UploadSummary;
pub use transport::{Access, Header, Outcome, Request, RequestBody, accesses_of};

use crate::{
    Config, Purpose, Sordino, Withheld,
    consent::{AgeBand, Answer, GuardianMethod},
    id::Id,
    purpose::Purposes,
    sampler::{Annotation, Marked, Moment, RawClip, Selection, Trigger},
    signed::PublicKey,
    upload::{Endpoint, Finished, Task},
};
use callbacks::Events;
use listening::Heard;

/// The engine of one device: captures sound for the app's recogniser and, only where the person has
/// consented, makes anonymous, encrypted samples of it.
///
/// It may be called from many threads. One engine at a time has a state folder open; `shut_down`
/// gives the folder back at once, without waiting for a garbage collector.
#[derive(uniffi::Object)]
#[uniffi(name = "Sordino")]
pub struct Engine {
    /// `None` once it was shut down.
    open: RwLock<Option<Sordino>>,
    events: Arc<Events>,
    /// What is being heard. Locked while listening starts, so that shutting down misses nothing.
    heard: Mutex<Weak<Heard>>,
}

#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Opens the engine on its state folder, making it where it is new.
    ///
    /// `folder` is where the state lives; nobody else writes there. `organisation_key` is the
    /// organisation's Ed25519 public key, 64 hexadecimal digits, pinned in the app: only its plans
    /// count. `collector_url` is where samples go: `https://…`, or `http://…` on this very machine.
    ///
    /// Raises `State` where the folder cannot be used or is open in another engine, and `Argument`
    /// for a key or a URL that is none.
    #[uniffi::constructor]
    pub fn open(
        folder: String,
        organisation_key: PublicKey,
        collector_url: Endpoint,
    ) -> Result<Self, Error> {
        let engine = Sordino::open(Config::new(folder, organisation_key, collector_url))?;
        let events = Arc::new(Events::default());
        engine.on_event({
            let events = Arc::clone(&events);
            move |event| events.tell(event.into())
        });
        Ok(Self {
            open: RwLock::new(Some(engine)),
            events,
            heard: Mutex::default(),
        })
    }

    /// Stops listening, seals what was chosen, and gives the state folder back. Every later call
    /// raises `Closed`; shutting down twice does no harm.
    ///
    /// Raises `Capture` where what was being heard had ended by a fault; the engine is shut down
    /// then too.
    pub fn shut_down(&self) -> Result<(), Error> {
        let heard = {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            self.open
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            heard.upgrade()
        };
        let stopped = heard.map_or(Ok(()), |heard| heard.stop());
        self.events.listen(None);
        stopped
    }

    /// Has `listener` told of what happens, on the thread on which it happens; none with `null`.
    pub fn set_event_listener(&self, listener: Option<Arc<dyn EventListener>>) {
        self.events.listen(listener);
    }

    /// Puts a signed sampling plan into force: the JSON that `sordino plan sign` wrote.
    ///
    /// Raises `Plan` where it is not the organisation's, out of bounds, expired, or older than the
    /// one in force.
    pub fn install_plan(&self, json: &[u8]) -> Result<(), Error> {
        Ok(self.engine()?.install_plan(json)?)
    }

    /// The plan in force, whether or not it has expired.
    pub fn plan(&self) -> Result<Option<Plan>, Error> {
        Ok(self.engine()?.plan().map(Plan::from))
    }
}

/// Consent.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Where consent stands, and the receipt.
    pub fn consent(&self) -> Result<ConsentStatus, Error> {
        Ok(self.engine()?.consent()?.into())
    }

    /// Records a person's yes, purpose by purpose, and returns the receipt that the person gets: a
    /// signed JSON document that names nobody.
    ///
    /// `notice` is the text that was shown, of the version that the plan names. Of a child or of a
    /// person of unknown age nothing is sampled until a guardian has approved: here with
    /// `guardian`, or later with `approve`.
    ///
    /// Raises `Consent` where no plan is in force, it does not ask for that, or it names another
    /// version of the notice.
    #[uniffi::method(default(guardian = None))]
    pub fn give_consent(
        &self,
        purposes: Purposes,
        age_band: AgeBand,
        notice: Notice,
        guardian: Option<GuardianMethod>,
    ) -> Result<String, Error> {
        let answer = Answer {
            purposes,
            age_band,
            guardian,
            notice: &notice.into(),
        };
        Ok(self.engine()?.give_consent(&answer)?.to_json())
    }

    /// Records that the guardian approves of what the child said yes to, and returns the receipt.
    ///
    /// Raises `Consent` where nobody is waiting for it.
    pub fn approve(&self, method: GuardianMethod) -> Result<String, Error> {
        Ok(self.engine()?.approve(method)?.to_json())
    }

    /// Takes the yes back, for one purpose or for all. Nothing is sampled from this instant on,
    /// pending samples are shredded, and what was sent is asked back with the next upload.
    #[uniffi::method(default(purpose = None))]
    pub fn withdraw(&self, purpose: Option<Purpose>) -> Result<Withdrawal, Error> {
        Ok(self.engine()?.withdraw(purpose)?.into())
    }
}

/// Samples.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Why nothing may be sampled at this instant; `null` where it may.
    pub fn may_sample(&self) -> Result<Option<Withheld>, Error> {
        Ok(self.engine()?.may_sample()?)
    }

    /// Offers a recording as one sample, as the app's own mark does: it skips the random draw and
    /// keeps consent, the budget and the anonymiser's gate. A longer one than the plan's clip is cut
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
        let engine = self.engine()?;
        let annotation = annotation.unwrap_or_default();
        annotation.check()?;
        let selection = Selection {
            trigger: Trigger::Mark,
            probability: 1.0,
        };
        let clip = RawClip::new(scalars::floats_of(samples)?, rate, selection, annotation)?;
        Ok(engine.offer(clip)?.into())
    }

    /// Where the device stands.
    pub fn status(&self) -> Result<Status, Error> {
        Ok(self.engine()?.status()?.into())
    }

    /// Every sample there ever was, oldest first, and what became of it.
    pub fn samples(&self) -> Result<Vec<Sample>, Error> {
        let entries = self.engine()?.samples()?;
        Ok(entries.into_iter().map(Sample::from).collect())
    }

    /// Deletes one sample, here at once and at the collector with the next upload.
    ///
    /// Raises `Outbox` where there is none of that id.
    pub fn delete(&self, sample: Id) -> Result<Sample, Error> {
        Ok(self.engine()?.delete(sample)?.into())
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
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let ear = callbacks::ear(listener, &self.events);
        let feed = Feed::start(&self.engine()?, rate, channels, ear)?;
        *heard = feed.heard();
        Ok(feed)
    }

    /// Marks a moment of what is being heard, because the recogniser was unsure or wrong. It is
    /// taken with the plan's probability and within its budget, and without consent not at all.
    ///
    /// Raises `Mark` where nothing is being heard, nothing may be sampled, or the moment is over.
    pub fn mark(&self, moment: Moment) -> Result<Marked, Error> {
        Ok(self.engine()?.mark(moment)?)
    }
}

#[cfg(feature = "microphone")]
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Hears the machine's microphone: the system's default one, or the `device` with an id from
    /// `input_devices`. `listener` gets mono frames of 10 ms, on a thread of the engine's, which
    /// waits for it. A microphone that goes away is opened anew; events tell.
    ///
    /// Raises `Listening` where the engine listens already, and `Capture` where there is no
    /// microphone or the app may not use it.
    #[uniffi::method(default(device = None, listener = None))]
    pub fn listen_to_microphone(
        &self,
        device: Option<String>,
        listener: Option<Arc<dyn FrameListener>>,
    ) -> Result<Listening, Error> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let ear = callbacks::ear(listener, &self.events);
        let listening = Listening::start(&self.engine()?, device, ear)?;
        *heard = listening.heard();
        Ok(listening)
    }
}

/// Upload by the app's own HTTP, which may go on while the app sleeps.
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// The next request that is due, if one is. Send it as it is and hand what came of it to
    /// `finish`, until there is none.
    pub fn next_request(&self) -> Result<Option<Request>, Error> {
        Ok(self.engine()?.next_request()?.map(Request::from))
    }

    /// As `next_request`, for a person who asks for it now: waits after failures are passed over,
    /// but for those that the collector asked for. `tried` are the tasks that failed since the
    /// person asked.
    pub fn next_request_now(&self, tried: Vec<Task>) -> Result<Option<Request>, Error> {
        let tried = tried.into_iter().collect();
        let request = self.engine()?.next_request_now(&tried)?;
        Ok(request.map(Request::from))
    }

    /// Takes in what came of the request for `task`, after a restart of the app too.
    pub fn finish(&self, task: Task, outcome: Outcome) -> Result<Finished, Error> {
        Ok(self.engine()?.finish(&task, outcome.into())?)
    }

    /// Has the collector asked for a newer plan with the next requests, however lately it was.
    pub fn renew_plan(&self) -> Result<(), Error> {
        Ok(self.engine()?.renew_plan()?)
    }

    /// The request that asks the collector who opened a sample; `accesses_of` reads what came of it.
    ///
    /// Raises `Outbox` where there is no such sample.
    pub fn accesses_request(&self, sample: Id) -> Result<Request, Error> {
        Ok(self.engine()?.accesses_request(sample)?.into())
    }
}

/// Upload by the built-in client.
#[cfg(feature = "http")]
#[uniffi::export(name = "Sordino")]
impl Engine {
    /// Sends all that is due and waits for it. It stops where the collector cannot be reached; what
    /// the collector says stands in the summary.
    pub fn upload_now(&self) -> Result<UploadSummary, Error> {
        let client = crate::upload::Client::default();
        Ok(self.engine()?.upload_now(&client)?.into())
    }

    /// Who opened a sample, asked of the collector now.
    ///
    /// Raises `Upload` where it does not answer, and `Outbox` where there is no such sample.
    pub fn accesses(&self, sample: Id) -> Result<Vec<Access>, Error> {
        let client = crate::upload::Client::default();
        let answer = self.engine()?.accesses(sample, &client)?;
        Ok(transport::list(answer))
    }
}

impl Engine {
    /// A handle of its own, so that no lock is held while the engine works or calls back.
    fn engine(&self) -> Result<Sordino, Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.clone().ok_or(Error::Closed)
    }
}
