//! reqwest, in both its versions: the only file that names it.

use futures_util::StreamExt;
use http::header;

#[cfg(feature = "client")]
use super::{
    Attempt, BoxFuture, Connect, Connector, IntoConnector, IntoResponse, LAST_EVENT_ID,
    RequestPolicy,
};
use super::{Body, EVENT_STREAM, IN_BROWSER, NO_CACHE, Response};
use crate::{
    error::{Error, ErrorKind, Timeout},
    stream::EventStreamBuilder,
};

/// What this crate adds to reqwest's request builder.
#[cfg_attr(docsrs, doc(cfg(any(feature = "reqwest013", feature = "reqwest012"))))]
pub trait RequestBuilderExt: sealed::Sealed {
    /// Sends the request, once, and takes its answer for an event stream.
    ///
    /// It asks for `text/event-stream` unless the request has an `Accept` header of its own, and
    /// for no answer out of a cache (by `Cache-Control`; in a browser by fetch's cache mode).
    ///
    /// Limits on time and size, and what else to hold the answer to, can be set before `.await`.
    /// A `timeout` of the client or of the request counts the whole answer, however well it
    /// flows: streams want none.
    fn events(self) -> EventStreamBuilder;

    /// Takes the request for that of a feed: an [`EventSource`](crate::EventSource) with every
    /// option at its default. [`EventSource::builder`](crate::EventSource::builder) takes the
    /// same request and further options.
    ///
    /// A `Last-Event-ID` header of the request is where the feed starts from. One among the
    /// client's default headers cannot be seen, and is sent for as long as there is no ID.
    ///
    /// Redirects are followed as the client's own policy says. reqwest's takes `Authorization` and
    /// cookies off a request to another origin, but no other header.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::Request`], where the request is not valid, or has a body that cannot
    /// be repeated but may have to be.
    #[cfg(feature = "client")]
    fn event_source(self) -> Result<crate::EventSource, Error>;
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

/// Serves one version of reqwest. Their types have the same methods and nothing else in common.
macro_rules! serve {
    ($version:ident, $reqwest:ident) => {
        mod $version {
            use super::*;

            impl sealed::Sealed for $reqwest::RequestBuilder {}
            impl sealed::Sealed for $reqwest::Response {}

            impl RequestBuilderExt for $reqwest::RequestBuilder {
                fn events(self) -> EventStreamBuilder {
                    let (client, request) = fresh(self).build_split();
                    EventStreamBuilder::new(async move {
                        let mut request = request.map_err(failed)?;
                        let headers = request.headers_mut();
                        headers.entry(header::ACCEPT).or_insert(EVENT_STREAM);
                        if !IN_BROWSER {
                            headers.entry(header::CACHE_CONTROL).or_insert(NO_CACHE);
                        }
                        let response = client.execute(request).await;
                        response.map(Response::from).map_err(failed)
                    })
                }

                #[cfg(feature = "client")]
                fn event_source(self) -> Result<crate::EventSource, Error> {
                    crate::EventSource::builder(self).build()
                }
            }

            impl ResponseExt for $reqwest::Response {
                fn events(self) -> EventStreamBuilder {
                    let response = Response::from(self);
                    EventStreamBuilder::new(async move { Ok(response) })
                }
            }

            impl From<$reqwest::Response> for Response {
                fn from(mut response: $reqwest::Response) -> Self {
                    let status = response.status();
                    let mut headers = std::mem::take(response.headers_mut());
                    if IN_BROWSER {
                        // Fetch has undone it, and tells of it all the same.
                        headers.remove(header::CONTENT_ENCODING);
                    }
                    let url = response.url().to_string();
                    let chunks = response.bytes_stream();
                    let body = Body::of_chunks(chunks.map(|chunk| chunk.map_err(broken)));
                    Self::new(status, headers, body).with_url(url)
                }
            }

            #[cfg(feature = "client")]
            impl IntoResponse for $reqwest::RequestBuilder {
                fn answer(self, attempt: &Attempt) -> BoxFuture<'static, Result<Response, Error>> {
                    let (client, request) = fresh(self).build_split();
                    let request = request.map(|mut request| {
                        attempt.apply(request.headers_mut());
                        request
                    });
                    Box::pin(async move {
                        let response = client.execute(request.map_err(failed)?).await;
                        response.map(Response::from).map_err(failed)
                    })
                }
            }

            #[cfg(feature = "client")]
            impl IntoConnector for $reqwest::RequestBuilder {
                fn into_connector(self) -> Connector {
                    let (client, request) = fresh(self).build_split();
                    Connector::new(Repeated {
                        client,
                        request: Some(request),
                        repeats: false,
                    })
                }
            }

            /// One request, sent again and again.
            #[cfg(feature = "client")]
            struct Repeated {
                client: $reqwest::Client,
                request: Option<$reqwest::Result<$reqwest::Request>>,
                repeats: bool,
            }

            #[cfg(feature = "client")]
            impl Connect for Repeated {
                fn connect(
                    &mut self,
                    attempt: Attempt,
                ) -> BoxFuture<'static, Result<Response, Error>> {
                    let request = match &self.request {
                        Some(Ok(request)) if self.repeats => request.try_clone().map(Ok),
                        _ => self.request.take(),
                    };
                    let client = self.client.clone();
                    Box::pin(async move {
                        let mut request = request.ok_or_else(cannot_repeat)?.map_err(failed)?;
                        attempt.apply(request.headers_mut());
                        let response = client.execute(request).await;
                        response.map(Response::from).map_err(failed)
                    })
                }

                fn prepare(&mut self, resend_unsafe_methods: bool) -> Result<RequestPolicy, Error> {
                    let request = match self.request.take() {
                        Some(Ok(request)) => request,
                        Some(Err(error)) => return Err(failed(error)),
                        None => return Err(cannot_repeat()),
                    };
                    self.repeats = request.method().is_safe() || resend_unsafe_methods;
                    if self.repeats && request.try_clone().is_none() {
                        return Err(cannot_repeat());
                    }
                    let last_event_id = last_event_id(request.headers());
                    self.request = Some(Ok(request));
                    Ok(RequestPolicy {
                        repeats: self.repeats,
                        anew: false,
                        last_event_id,
                    })
                }
            }

            /// An answer out of a cache is no stream. To native clients a header says so.
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            pub(super) fn fresh(request: $reqwest::RequestBuilder) -> $reqwest::RequestBuilder {
                request
            }

            #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
            pub(super) fn fresh(request: $reqwest::RequestBuilder) -> $reqwest::RequestBuilder {
                request.fetch_cache_no_store()
            }

            /// What went wrong before there was a response.
            pub(super) fn failed(error: $reqwest::Error) -> Error {
                let kind = if error.is_builder() {
                    ErrorKind::Request
                } else if is_connect(&error) {
                    ErrorKind::Connect
                } else if error.is_timeout() {
                    ErrorKind::Timeout(Timeout::HttpClient)
                } else if error.is_redirect() {
                    ErrorKind::Redirect
                } else {
                    ErrorKind::Transport
                };
                Error::new(kind, error.without_url())
            }

            /// What went wrong within the body.
            fn broken(error: $reqwest::Error) -> Error {
                let kind = if error.is_timeout() {
                    ErrorKind::Timeout(Timeout::HttpClient)
                } else {
                    ErrorKind::Body
                };
                Error::new(kind, error.without_url())
            }

            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            fn is_connect(error: &$reqwest::Error) -> bool {
                error.is_connect()
            }

            /// A browser tells no reasons.
            #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
            fn is_connect(_: &$reqwest::Error) -> bool {
                false
            }
        }
    };
}

#[cfg(feature = "client")]
fn cannot_repeat() -> Error {
    Error::of(ErrorKind::Request).and_message(
        "the body of the request cannot be sent again, as a reconnection would have to",
    )
}

/// What a request that has a `Last-Event-ID` already wants to resume from.
#[cfg(feature = "client")]
fn last_event_id(headers: &http::HeaderMap) -> Option<String> {
    let id = headers.get(LAST_EVENT_ID)?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

#[cfg(feature = "reqwest013")]
serve!(v013, reqwest);
#[cfg(feature = "reqwest012")]
serve!(v012, reqwest012);

#[cfg(all(feature = "client", feature = "reqwest013"))]
pub use own::FollowRedirects;

/// A client of our own, and the redirects that it follows.
#[cfg(all(feature = "client", feature = "reqwest013"))]
mod own {
    use std::fmt;

    use bytes::Bytes;
    use http::Request;
    use url::Url;

    use super::{super::redirect, *};
    use crate::{EventSource, EventSourceBuilder};
    use v013::{failed, fresh};

    impl EventSource {
        /// A feed at `url`, with every option at its default. The URL is read as a browser reads
        /// it: what cannot stand in a request is escaped.
        ///
        /// It has an HTTP client of its own, which gives up connecting after 10 seconds and
        /// follows redirects itself: see [`FollowRedirects`].
        ///
        /// # Errors
        ///
        /// Of kind [`ErrorKind::Request`], where `url` is no HTTP URL.
        pub fn get(url: impl AsRef<str>) -> Result<Self, Error> {
            // Spaces, umlauts and such can stand in a URL that is typed, but not in a request.
            let parsed = Url::parse(url.as_ref());
            let url = parsed.map_or_else(|_| url.as_ref().to_owned(), String::from);
            EventSource::request(Request::get(url).body("")).build()
        }

        /// Options for a source of any request, with an HTTP client of its own as for
        /// [`get`](Self::get).
        ///
        /// ```no_run
        /// use everstream::{EventSource, http::Request};
        ///
        /// # fn doc() -> Result<(), everstream::Error> {
        /// let request = Request::get("https://example.com/feed")
        ///     .header("authorization", "Bearer …")
        ///     .body("");
        /// let source = EventSource::request(request).last_event_id("42").build()?;
        /// # Ok(())
        /// # }
        /// ```
        pub fn request(
            request: Result<Request<impl Into<Bytes>>, http::Error>,
        ) -> EventSourceBuilder {
            let client = FollowRedirects::client_builder().build();
            EventSource::builder(match (client, request) {
                (Ok(client), Ok(request)) => FollowRedirects::new(client, request),
                (Err(error), _) => FollowRedirects(Err(failed(error))),
                (_, Err(error)) => FollowRedirects(Err(Error::new(ErrorKind::Request, error))),
            })
        }
    }

    /// A connector that sends one request, and follows redirects itself.
    ///
    /// It follows 301, 302, 303, 307 and 308, up to 20 of them, with method and body as HTTP has
    /// it. To another origin it carries `Accept`, `Accept-Encoding`, `Cache-Control` and
    /// `Last-Event-ID` (and the `Content-Type` of a body that goes along) and no other header, so
    /// that no key or cookie leaves its origin. Each reconnection starts from the request's own URL.
    ///
    /// The client has to follow none itself, as one of
    /// [`client_builder`](Self::client_builder) does. In a browser it is fetch that follows them,
    /// by its own rules.
    pub struct FollowRedirects(Result<Requests, Error>);

    struct Requests {
        client: reqwest::Client,
        first: redirect::Parts,
    }

    impl FollowRedirects {
        /// Sends `request` with `client`.
        pub fn new(client: reqwest::Client, request: Request<impl Into<Bytes>>) -> Self {
            let (parts, body) = request.into_parts();
            let url = Url::parse(&parts.uri.to_string())
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            Self(match url {
                None => Err(Error::of(ErrorKind::Request)
                    .and_message("the URL of the request is no HTTP URL")),
                Some(url) => Ok(Requests {
                    client,
                    first: redirect::Parts {
                        method: parts.method,
                        url,
                        headers: parts.headers,
                        body: body.into(),
                    },
                }),
            })
        }

        /// A client that follows no redirects, gives up connecting after 10 seconds and calls
        /// itself `everstream`.
        ///
        /// In a browser it does none of this: redirects, connecting and `User-Agent` are the
        /// browser's own.
        #[must_use = "a client is made by `build`"]
        pub fn client_builder() -> reqwest::ClientBuilder {
            let builder = reqwest::Client::builder();
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            let builder = builder
                .user_agent(concat!("everstream/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(std::time::Duration::from_secs(10));
            builder
        }
    }

    impl Connect for FollowRedirects {
        fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>> {
            let requests = match &self.0 {
                Ok(Requests { client, first }) => Ok((client.clone(), first.clone())),
                Err(error) => Err(error.clone()),
            };
            Box::pin(async move {
                let (client, mut parts) = requests?;
                attempt.apply(&mut parts.headers);
                for redirects in 0..=redirect::MAX_REDIRECTS {
                    let request = client
                        .request(parts.method.clone(), parts.url.clone())
                        .headers(parts.headers.clone())
                        .body(parts.body.clone());
                    let response =
                        fresh(request)
                            .send()
                            .await
                            .map_err(|error| match redirects {
                                0 => failed(error),
                                _ => failed_elsewhere(error),
                            })?;
                    let response = Response::from(response);
                    let head = response.head();
                    if !parts.redirect(head.status(), head.headers())? {
                        return Ok(response);
                    }
                }
                Err(redirect::endless())
            })
        }

        fn prepare(&mut self, resend_unsafe_methods: bool) -> Result<RequestPolicy, Error> {
            let requests = self.0.as_ref().map_err(Error::clone)?;
            Ok(RequestPolicy {
                repeats: requests.first.method.is_safe() || resend_unsafe_methods,
                anew: false,
                last_event_id: last_event_id(&requests.first.headers),
            })
        }
    }

    /// A request that cannot be made to where the server has sent it is no fault of the user's.
    fn failed_elsewhere(error: reqwest::Error) -> Error {
        match failed(error) {
            error if error.kind() == ErrorKind::Request => Error::new(ErrorKind::Redirect, error),
            error => error,
        }
    }

    /// Shows neither URL nor headers: they may be secrets.
    impl fmt::Debug for FollowRedirects {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("FollowRedirects").finish_non_exhaustive()
        }
    }
}
