//! Opening an engine.

use std::sync::Arc;

use sordino::{Config, Sordino, outbox::Quota, plan::Review, signed::PublicKey, upload::Endpoint};

use crate::{
    engine::Engine,
    error::Error,
    event::Event,
    handle::EngineHandle,
    listeners::{EventListener, EventSink},
    panics::catch_panic,
};

/// Builds an engine. Each method returns a new builder and leaves the one that it is called on unchanged.
#[derive(uniffi::Object)]
pub struct EngineBuilder {
    config: Config,
    listener: Option<Arc<dyn EventListener>>,
}

#[uniffi::export]
impl EngineBuilder {
    /// `folder` holds the state and is created if it is missing; nothing else may write there.
    /// `organization_key` is the organization's Ed25519 public key, 64 hexadecimal digits, pinned in the
    /// app: only plans signed with it are accepted. `collector_url` is the collector's URL: `https://…`, or `http://…` on
    /// the same machine.
    ///
    /// Raises `Argument` for an invalid key or URL.
    // Only converting the arguments can fail here, and UniFFI raises that as the error of the signature.
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

    /// Requires that the person hears each sample before it is sealed, even if the plan does not: see
    /// `previews`.
    pub fn review_required(&self) -> Self {
        let mut builder = self.copy();
        builder.config.review = Review::Required;
        builder
    }

    /// Limits the samples that wait to be sent to `samples` samples and `bytes` bytes. The defaults are 200 samples and
    /// 32 MiB. The oldest are dropped first.
    pub fn quota(&self, samples: u32, bytes: u64) -> Self {
        let mut builder = self.copy();
        builder.config.quota = Quota {
            samples: samples as usize,
            bytes,
        };
        builder
    }

    /// Sets a listener that receives all events from the start, on the thread on which they happen.
    pub fn event_listener(&self, listener: Arc<dyn EventListener>) -> Self {
        let mut builder = self.copy();
        builder.listener = Some(listener);
        builder
    }

    /// Opens the engine on its folder.
    ///
    /// Raises `State` if the folder cannot be used or is open in another engine, and `Damaged` if
    /// only `reset` helps.
    pub fn open(&self) -> Result<Engine, Error> {
        catch_panic(|| {
            let engine = Sordino::open(self.config.clone())?;
            let events = Arc::new(EventSink::default());
            events.set_listener(self.listener.clone());
            engine.on_event({
                let events = Arc::clone(&events);
                move |event| {
                    if let Some(event) = Event::from_sdk(event) {
                        events.emit(event);
                    }
                }
            });
            Ok(Engine {
                handle: EngineHandle::new(engine, events),
            })
        })
    }
}

impl EngineBuilder {
    fn copy(&self) -> Self {
        Self {
            config: self.config.clone(),
            listener: self.listener.clone(),
        }
    }
}
