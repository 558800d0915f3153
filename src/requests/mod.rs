//! What reqwest's own types get: `events()` and `event_source()`, and an [`EventSource`] of a URL.
//!
//! It stands above all that it makes: a stream, a source, and the connector for reqwest.

#[cfg(all(feature = "client", feature = "reqwest013"))]
mod by_url;

#[cfg(feature = "client")]
use crate::{error::Error, source::EventSource};
use crate::{stream::EventStreamBuilder, transport::Response};

/// What this crate adds to reqwest's request builder.
#[cfg_attr(docsrs, doc(cfg(any(feature = "reqwest013", feature = "reqwest012"))))]
pub trait RequestBuilderExt: sealed::Sealed {
    /// Sends the request, once, and takes its answer for an event stream.
    ///
    /// It asks for `text/event-stream` unless the request has an `Accept` header of its own, and
    /// for no answer out of a cache (by `Cache-Control`; in a browser by fetch's cache mode), and
    /// for one that is not compressed (`Accept-Encoding: identity`, but for a browser), unless it
    /// has an `Accept-Encoding` of its own. The same header among the client's default headers
    /// can't be seen, and gives way.
    ///
    /// Limits on time and size, and what else to hold the answer to, can be set before `.await`.
    /// A `timeout` of the client or of the request counts the whole answer, however well it
    /// flows: streams want none.
    ///
    /// # What the client does with it
    ///
    /// We send it once. reqwest's default client may send it again: up to three times in all where an
    /// HTTP/2 server has refused it, and to wherever a redirect leads. On 301, 302 and 303 a POST
    /// becomes a GET, on 307 and 308 its body goes along, and to another origin reqwest takes all
    /// headers but `Authorization` and cookies, so also keys in `x-api-key`, `api-key` or
    /// `x-goog-api-key`. Either of these prevents all of it:
    ///
    /// ```
    /// # #[cfg(feature = "reqwest013")]
    /// # fn doc() -> reqwest::Result<()> {
    /// let client = everstream::reqwest013::client_builder().build()?;
    ///
    /// let client = reqwest::Client::builder()
    ///     .redirect(reqwest::redirect::Policy::none())
    ///     .retry(reqwest::retry::never())
    ///     .build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    fn events(self) -> EventStreamBuilder;

    /// Takes the request for that of a feed: an [`EventSource`](crate::EventSource) with every
    /// option at its default. [`EventSource::builder`](crate::EventSource::builder) takes the
    /// same request and further options.
    ///
    /// A `Last-Event-ID` header of the request is where the feed starts from. One among the
    /// client's default headers cannot be seen, and is sent for as long as there is no ID.
    ///
    /// Redirects are followed as the client's own policy says. reqwest's takes `Authorization` and
    /// cookies off a request to another origin, but no other header: a key in `x-api-key` goes
    /// along, and the body of a POST on 307 and 308. See [`events`](Self::events) for the two lines
    /// that prevent it. [`EventSource::request`](crate::EventSource::request) follows redirects
    /// without giving keys away.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::Request`](crate::ErrorKind::Request), where the request is not valid, or has a body that cannot
    /// be repeated but may have to be.
    #[cfg(feature = "client")]
    fn event_source(self) -> Result<EventSource, Error>;
}

/// What this crate adds to reqwest's response.
#[cfg_attr(docsrs, doc(cfg(any(feature = "reqwest013", feature = "reqwest012"))))]
pub trait ResponseExt: sealed::Sealed {
    /// Takes the response for an event stream.
    fn events(self) -> EventStreamBuilder;
}

mod sealed {
    pub trait Sealed {}
}

/// Serves one version of reqwest.
macro_rules! serve {
    ($reqwest:ident, $send_once:path) => {
        impl sealed::Sealed for $reqwest::RequestBuilder {}
        impl sealed::Sealed for $reqwest::Response {}

        impl RequestBuilderExt for $reqwest::RequestBuilder {
            fn events(self) -> EventStreamBuilder {
                let (url, response) = $send_once(self);
                EventStreamBuilder::new(response).of_url(url)
            }

            #[cfg(feature = "client")]
            fn event_source(self) -> Result<EventSource, Error> {
                EventSource::builder(self).build()
            }
        }

        impl ResponseExt for $reqwest::Response {
            fn events(self) -> EventStreamBuilder {
                let response = Response::from(self);
                EventStreamBuilder::new(async move { Ok(response) })
            }
        }
    };
}

#[cfg(feature = "reqwest013")]
serve!(reqwest, crate::transport::reqwest::v013::send_once);
#[cfg(feature = "reqwest012")]
serve!(reqwest012, crate::transport::reqwest::v012::send_once);
