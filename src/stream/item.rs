//! What streams of ours yield.

use super::Signal;
use crate::{error::Error, event::Event};

/// An item of a stream of events: an [`Event`], or a [`Signal`] that may be one.
///
/// What can be asked of a stream of events can be asked of a stream of signals, too: signals that
/// are not events pass through. This trait is sealed.
pub trait EventOrSignal: sealed::Sealed + Sized {
    /// What [`json`](super::EventStreamExt::json) makes of it: `T` of an event, [`JsonSignal`] of
    /// a signal.
    type Json<T>;

    /// The event, if it is one.
    fn as_event(&self) -> Option<&Event>;

    /// The event, if it is one, or the signal as it is.
    #[doc(hidden)]
    fn try_into_event(self) -> Result<Event, Self>;

    /// What is left of a keep-alive event: nothing in a stream of events.
    #[doc(hidden)]
    fn into_keep_alive(self) -> Option<Self>;

    #[doc(hidden)]
    fn read<T>(self, read: impl FnOnce(Event) -> Result<T, Error>) -> Result<Self::Json<T>, Error>;
}

impl EventOrSignal for Event {
    type Json<T> = T;

    #[inline]
    fn as_event(&self) -> Option<&Event> {
        Some(self)
    }

    #[inline]
    fn try_into_event(self) -> Result<Event, Self> {
        Ok(self)
    }

    #[inline]
    fn into_keep_alive(self) -> Option<Self> {
        None
    }

    #[inline]
    fn read<T>(self, read: impl FnOnce(Event) -> Result<T, Error>) -> Result<T, Error> {
        read(self)
    }
}

impl EventOrSignal for Signal {
    type Json<T> = JsonSignal<T>;

    fn as_event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            _ => None,
        }
    }

    fn try_into_event(self) -> Result<Event, Self> {
        match self {
            Self::Event(event) => Ok(event),
            other => Err(other),
        }
    }

    fn into_keep_alive(self) -> Option<Self> {
        Some(match self {
            Self::Event(event) => Self::KeepAlive(event),
            other => other,
        })
    }

    fn read<T>(self, read: impl FnOnce(Event) -> Result<T, Error>) -> Result<JsonSignal<T>, Error> {
        match self {
            Self::Event(event) => read(event).map(JsonSignal::Event),
            other => Ok(JsonSignal::Other(other)),
        }
    }
}

/// A [`Signal`] whose event was read as a `T`: an item of
/// [`json`](super::EventStreamExt::json) on a stream of signals.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JsonSignal<T> {
    /// The data of an event.
    Event(T),
    /// Any other signal, as it came.
    Other(Signal),
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::Event {}
    impl Sealed for crate::Signal {}
}
