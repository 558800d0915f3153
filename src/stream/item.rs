//! The items of this crate's streams.

use super::Signal;
use crate::{error::Error, event::Event};

/// An item of a stream: an [`Event`], or a [`Signal`], which can be an event.
///
/// With this trait, the combinators work on streams of events and on streams of signals. Signals
/// that are not events pass through. This trait is sealed.
pub trait EventOrSignal: sealed::Sealed + Sized {
    /// The item of the stream returned by [`json`](super::EventStreamExt::json): `T` for an event,
    /// [`JsonSignal`] for a signal.
    type Json<T>;

    /// Returns the event, if this is one.
    fn as_event(&self) -> Option<&Event>;

    /// Returns the event, if this is one, or else the unchanged signal.
    #[doc(hidden)]
    fn try_into_event(self) -> Result<Event, Self>;

    /// Converts a keep-alive event to the item to yield for it: none in a stream of events.
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

/// A [`Signal`] whose event was deserialized into a `T`: an item of
/// [`json`](super::EventStreamExt::json) on a stream of signals.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JsonSignal<T> {
    /// The data of an event.
    Event(T),
    /// Any other signal, unchanged.
    Other(Signal),
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::Event {}
    impl Sealed for crate::Signal {}
}
