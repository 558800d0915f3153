//! [`EventStreamExt`]: what can be asked of any stream of events or signals.

use futures_util::Stream;

use super::{
    CompleteWhen, Contract, Contracted, ErrorWhen, EventOrSignal, EventStream, Signals,
    release::Release,
};
use crate::{error::Error, event::Event, transport::MaybeSend};

/// What can be asked of any stream of events or signals.
///
/// The streams of this crate have the same methods themselves; this trait gives them to all others,
/// such as a stream that is lent (`(&mut events).complete_when(…)`) or was changed by another
/// combinator. On a stream of [`Signal`](crate::Signal)s, what is not an event passes through.
///
/// ```
/// use everstream::{EventStream, EventStreamExt};
/// use futures_util::{StreamExt, TryStreamExt, stream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), everstream::Error> {
/// let wire = "data: {\"text\":\"Hi\"}\n\ndata: [DONE]\n\n";
/// let events = EventStream::new(stream::iter([Ok::<_, std::io::Error>(wire)]));
/// let mut answer = events
///     .inspect(|_| {})
///     .error_when(|event| event.event_type() == "error")
///     .complete_on_data("[DONE]");
/// while let Some(event) = answer.try_next().await? {
///     println!("{}", event.data());
/// }
/// # Ok(())
/// # }
/// ```
pub trait EventStreamExt:
    Stream<Item = Result<<Self as EventStreamExt>::Of, Error>> + Sized
{
    /// What the stream yields: [`Event`], or [`Signal`](crate::Signal).
    type Of: EventOrSignal;

    /// Ends the stream with the first event that `is_last`, which is yielded: it often carries
    /// the usage.
    ///
    /// The stream ends there, without waiting for the end of the body. After that event nothing is
    /// polled beneath: a stream that was lent can be read on from there, and a stream of this crate
    /// lets go of its connection. If the stream beneath ends earlier, the answer was cut short:
    /// that is an error of kind [`ErrorKind::Incomplete`](crate::ErrorKind::Incomplete).
    fn complete_when(
        self,
        is_last: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> CompleteWhen<Self> {
        CompleteWhen::new(self, Box::new(is_last), true, None)
    }

    /// Ends the stream at the first event with this data, which is not yielded: `[DONE]` in
    /// `OpenAI`'s chat API and those modelled on it. White space around it is ignored.
    ///
    /// Otherwise as [`complete_when`](Self::complete_when).
    fn complete_on_data(self, last: impl Into<String>) -> CompleteWhen<Self> {
        CompleteWhen::on_data(self, last.into(), None)
    }

    /// Turns the first event that `is_error` into an error of kind
    /// [`ErrorKind::ErrorEvent`](crate::ErrorKind::ErrorEvent), which is final. [`Error::event`]
    /// gives the event, and [`Error::events_before`] says whether any came before it.
    fn error_when(
        self,
        is_error: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> ErrorWhen<Self> {
        ErrorWhen::new(self, Box::new(is_error), None)
    }

    /// Holds the answer to a contract: what completes it, what is an error within it, and what only
    /// keeps it alive. See [`Contract`].
    fn contract(self, contract: Contract) -> Contracted<Self> {
        Contracted::new(self, contract, None)
    }

    /// Reads the data of every event as a `T`.
    ///
    /// JSON with a lone half of a surrogate pair doesn't fit either: servers that cut a text between
    /// two events may send some. [`Event::json_lossy`] and
    /// [`SurrogateJoiner`](crate::SurrogateJoiner) read it.
    ///
    /// Data that does not fit is an `Err` of kind [`ErrorKind::Json`](crate::ErrorKind::Json) that
    /// holds the raw event. It is not final ([`Error::is_final`]): the stream goes on after it.
    #[cfg(feature = "json")]
    fn json<T: serde::de::DeserializeOwned>(self) -> crate::JsonStream<T, Self> {
        crate::JsonStream::new(self)
    }
}

impl<S, I> EventStreamExt for S
where
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    type Of = I;
}

/// The same as methods of a stream of ours, which lets go of its connection at the end.
macro_rules! combinators {
    () => {
        /// Ends the stream with the first event that `is_last`, which is yielded, and lets go of
        /// the connection. See [`EventStreamExt::complete_when`](crate::EventStreamExt::complete_when).
        pub fn complete_when(
            self,
            is_last: impl FnMut(&crate::Event) -> bool + crate::transport::MaybeSend + 'static,
        ) -> crate::CompleteWhen<Self> {
            let release = crate::stream::release;
            crate::CompleteWhen::new(self, Box::new(is_last), true, Some(release))
        }

        /// Ends the stream at the first event with this data, such as `[DONE]`, which is not
        /// yielded, and lets go of the connection. See
        /// [`EventStreamExt::complete_on_data`](crate::EventStreamExt::complete_on_data).
        pub fn complete_on_data(self, last: impl Into<String>) -> crate::CompleteWhen<Self> {
            let release = crate::stream::release;
            crate::CompleteWhen::on_data(self, last.into(), Some(release))
        }

        /// Turns the first event that `is_error` into a final error, and lets go of the
        /// connection. See [`EventStreamExt::error_when`](crate::EventStreamExt::error_when).
        pub fn error_when(
            self,
            is_error: impl FnMut(&crate::Event) -> bool + crate::transport::MaybeSend + 'static,
        ) -> crate::ErrorWhen<Self> {
            let release = crate::stream::release;
            crate::ErrorWhen::new(self, Box::new(is_error), Some(release))
        }

        /// Holds the answer to a contract, and lets go of the connection once it is complete. See
        /// [`Contract`](crate::Contract).
        pub fn contract(self, contract: crate::Contract) -> crate::Contracted<Self> {
            let release = crate::stream::release;
            crate::Contracted::new(self, contract, Some(release))
        }

        /// Reads the data of every event as a `T`. See
        /// [`EventStreamExt::json`](crate::EventStreamExt::json).
        #[cfg(feature = "json")]
        pub fn json<T: serde::de::DeserializeOwned>(self) -> crate::JsonStream<T, Self> {
            crate::JsonStream::new(self)
        }
    };
}

impl EventStream {
    combinators!();
}

impl<S: Release + Unpin> CompleteWhen<S> {
    combinators!();
}

impl<S: Release + Unpin> ErrorWhen<S> {
    combinators!();
}

impl<S: Release + Unpin> Contracted<S> {
    combinators!();
}

impl<S: Release + Unpin> Signals<S> {
    combinators!();
}

#[cfg(feature = "client")]
pub(crate) use combinators;
