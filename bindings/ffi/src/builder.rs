use std::sync::Arc;

use crate::{
    Engine, Error, Event, EventListener,
    callbacks::Events,
    door::{self, Door},
};
use sordino::{Config, Sordino, outbox::Quota, plan::Review, signed::PublicKey, upload::Endpoint};

/// What an engine is opened with. Each method returns a builder of its own; the one it was called on stays
/// as it is.
#[derive(uniffi::Object)]
#[uniffi(name = "SordinoBuilder")]
pub struct Builder {
    config: Config,
    listener: Option<Arc<dyn EventListener>>,
}

#[uniffi::export(name = "SordinoBuilder")]
impl Builder {
    /// `folder` is where the state lives, made where it is new; nobody else writes there.
    /// `organization_key` is the organization's Ed25519 public key, 64 hexadecimal digits, pinned in the
    /// app: only its plans count. `collector_url` is where samples go: `https://…`, or `http://…` on this
    /// very machine.
    ///
    /// Raises `Argument` for a key or a URL that is none.
    // Only what crosses can fail here, and UniFFI raises that as the error of the signature.
    #[uniffi::constructor]
    pub fn new(
        folder: String,
        organization_key: PublicKey,
        collector_url: Endpoint,
    ) -> Result<Self, Error> {
        Ok(Self {
            config: Config::new(folder, organization_key, collector_url),
            listener: None,
        })
    }

    /// Has the person hear each sample before it is sealed, whether or not the plan asks for that: see
    /// `previews`.
    pub fn review_required(&self) -> Self {
        let mut builder = self.copy();
        builder.config.review = Review::Required;
        builder
    }

    /// How much may wait to be sent: at most `samples` samples and `bytes` bytes; 200 and 32 MiB where this
    /// is not called. The oldest go first.
    pub fn quota(&self, samples: u32, bytes: u64) -> Self {
        let mut builder = self.copy();
        builder.config.quota = Quota {
            samples: samples as usize,
            bytes,
        };
        builder
    }

    /// Has `listener` told of what happens from the first instant on, on the thread on which it happens.
    pub fn event_listener(&self, listener: Arc<dyn EventListener>) -> Self {
        let mut builder = self.copy();
        builder.listener = Some(listener);
        builder
    }

    /// Opens the engine on its folder.
    ///
    /// Raises `State` where the folder cannot be used or is open in another engine, and `Damaged` where
    /// only `reset` helps.
    pub fn open(&self) -> Result<Engine, Error> {
        door::caught(|| {
            let engine = Sordino::open(self.config.clone())?;
            let events = Arc::new(Events::default());
            events.listen(self.listener.clone());
            engine.on_event({
                let events = Arc::clone(&events);
                move |event| {
                    if let Some(event) = Event::from_sdk(event) {
                        events.tell(event);
                    }
                }
            });
            Ok(Engine {
                door: Door::new(engine, events),
            })
        })
    }
}

impl Builder {
    fn copy(&self) -> Self {
        Self {
            config: self.config.clone(),
            listener: self.listener.clone(),
        }
    }
}
