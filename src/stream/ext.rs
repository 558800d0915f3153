//! [`EventStreamExt`]: combinators for any stream of events or signals.

use futures_util::Stream;

use super::{
    CompleteWhen, Contract, Contracted, ErrorWhen, EventOrSignal, EventStream, Signals,
    release::Release,
};
use crate::{error::Error, event::Event, transport::MaybeSend};

/// Combinators for any stream of events or signals.
///
/// The streams of this crate have the same methods as inherent methods. This trait adds them to all
/// other streams, such as a borrowed stream (`(&mut events).complete_when(…)`) or the result of
/// another combinator. On a stream of [`Signal`](crate::Signal)s, signals that are not events pass
/// through.
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
    /// The items of the stream: [`Event`] or [`Signal`](crate::Signal).
    type Of: EventOrSignal;

    /// Ends the stream after the first event for which `is_last` returns `true`. That event is
    /// yielded, as it often contains the usage.
    ///
    /// The stream doesn't wait for the end of the body, and doesn't poll the inner stream after
    /// that event. So you can continue to read a borrowed stream from there. A stream of this crate
    /// that is not borrowed closes its connection. If the inner stream ends earlier, the answer was
    /// cut short, which is an error of kind
    /// [`ErrorKind::Incomplete`](crate::ErrorKind::Incomplete).
    fn complete_when(
        self,
        is_last: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> CompleteWhen<Self> {
        CompleteWhen::new(self, Box::new(is_last), true, None)
    }

    /// Ends the stream at the first event with this data, such as `[DONE]` in `OpenAI`'s chat API
    /// and compatible APIs. That event is not yielded. White space around the data is ignored.
    ///
    /// Otherwise the same as [`complete_when`](Self::complete_when).
    fn complete_on_data(self, last: impl Into<String>) -> CompleteWhen<Self> {
        CompleteWhen::on_data(self, last.into(), None)
    }

    /// Turns the first event for which `is_error` returns `true` into a final error of kind
    /// [`ErrorKind::ErrorEvent`](crate::ErrorKind::ErrorEvent). [`Error::event`] returns the event,
    /// and [`Error::events_before`] returns the number of events before it.
    fn error_when(
        self,
        is_error: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> ErrorWhen<Self> {
        ErrorWhen::new(self, Box::new(is_error), None)
    }

    /// Applies a contract to the answer: it decides which events complete the answer, which are
    /// errors and which only keep the connection alive. See [`Contract`].
    fn contract(self, contract: Contract) -> Contracted<Self> {
        Contracted::new(self, contract, None)
    }

    /// Deserializes the data of every event from JSON into a `T`.
    ///
    /// JSON with a lone surrogate is also an error; some servers send it when they split a text
    /// between two events. [`Event::json_lossy`] and [`SurrogateJoiner`](crate::SurrogateJoiner)
    /// can read it.
    ///
    /// Data that does not fit `T` is an `Err` of kind [`ErrorKind::Json`](crate::ErrorKind::Json)
    /// that holds the raw event. It is not final ([`Error::is_final`]): the stream continues after
    /// it.
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

/// The same methods for the streams of this crate, which close their connection at the end.
macro_rules! combinators {
    () => {
        /// Ends the stream after the first event for which `is_last` returns `true`, and closes the
        /// connection. That event is yielded. See
        /// [`EventStreamExt::complete_when`](crate::EventStreamExt::complete_when).
        pub fn complete_when(
            self,
            is_last: impl FnMut(&crate::Event) -> bool + crate::transport::MaybeSend + 'static,
        ) -> crate::CompleteWhen<Self> {
            let release = crate::stream::release;
            crate::CompleteWhen::new(self, Box::new(is_last), true, Some(release))
        }

        /// Ends the stream at the first event with this data, such as `[DONE]`, and closes the
        /// connection. That event is not yielded. See
        /// [`EventStreamExt::complete_on_data`](crate::EventStreamExt::complete_on_data).
        pub fn complete_on_data(self, last: impl Into<String>) -> crate::CompleteWhen<Self> {
            let release = crate::stream::release;
            crate::CompleteWhen::on_data(self, last.into(), Some(release))
        }

        /// Turns the first event for which `is_error` returns `true` into a final error, and closes
        /// the connection. See [`EventStreamExt::error_when`](crate::EventStreamExt::error_when).
        pub fn error_when(
            self,
            is_error: impl FnMut(&crate::Event) -> bool + crate::transport::MaybeSend + 'static,
        ) -> crate::ErrorWhen<Self> {
            let release = crate::stream::release;
            crate::ErrorWhen::new(self, Box::new(is_error), Some(release))
        }

        /// Applies a contract to the answer, and closes the connection when the answer is complete.
        /// See [`Contract`](crate::Contract).
        pub fn contract(self, contract: crate::Contract) -> crate::Contracted<Self> {
            let release = crate::stream::release;
            crate::Contracted::new(self, contract, Some(release))
        }

        /// Deserializes the data of every event from JSON into a `T`. See
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
