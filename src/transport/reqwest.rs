//! reqwest, in both its versions, as the HTTP client. What its own types get is in `requests`.

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
use std::time::Duration;

use http::header;

#[cfg(feature = "client")]
use super::{
    Attempt, BoxFuture, Connect, Connector, IntoConnector, IntoResponse, LAST_EVENT_ID,
    PrepareOptions, RequestPolicy,
};
use super::{Body, IN_BROWSER, Response, default_headers};
use crate::error::{Error, ErrorKind, Timeout};

/// Serves one version of reqwest. Their types have the same methods and nothing else in common.
macro_rules! serve {
    ($version:ident, $reqwest:ident, $module:ident) => {
        pub(crate) mod $version {
            use super::*;

            /// A client for answers that are streamed, to be changed further and made by `build`.
            ///
            /// ```
            #[doc = concat!("let client = everstream::", stringify!($module), "::client_builder().build()?;")]
            #[doc = concat!("# Ok::<(), ", stringify!($reqwest), "::Error>(())")]
            /// ```
            ///
            /// What reqwest's own default does, and this one doesn't, can send a request twice or
            /// keep a dead stream waiting:
            ///
            /// * It follows no redirects: a 301 or 307 is a refusal with that status. reqwest sends
            ///   a body along on 307 and 308, and keys in headers such as `x-api-key` to other
            ///   origins on all of them. A failure to connect
            ///   ([`Error::is_connect`]) means that nothing was sent, then.
            /// * It repeats nothing. reqwest sends a request that an HTTP/2 server has refused
            ///   (`REFUSED_STREAM`, `GOAWAY`) up to three times, a POST as well.
            /// * It gives up connecting after 10 seconds.
            /// * It has no total time limit, which would end a stream that flows, nor a read
            ///   timeout: the limits of this crate tell what was waited for.
            /// * A connection without a request on it is closed after 4 seconds. Servers close theirs
            ///   after 5 seconds (Node, uvicorn), 60 (AWS load balancers) or 75 (nginx); a POST
            ///   that meets such a close is an error, and nobody can say whether it was acted on.
            ///   reqwest keeps them for 90 seconds.
            /// * A peer that is gone is noticed: by TCP keep-alive after 15 seconds of silence and
            ///   three probes 15 seconds apart, over HTTP/2 by a PING every 30 seconds that is not
            ///   answered within 20. The latter needs this crate's feature `http2`, which is on by
            ///   default. Without it, where your own reqwest has HTTP/2, add
            ///   `.http2_keep_alive_interval(…)` and `.http2_keep_alive_timeout(…)`.
            /// * It calls itself `everstream`; `user_agent` says otherwise.
            ///
            /// Time limits, TLS, proxies and cookies are reqwest's own defaults else.
            ///
            /// In a browser it is a plain client: redirects, connecting, the pool and `User-Agent`
            /// are the browser's own.
            #[must_use = "a client is made by `build`"]
            pub fn client_builder() -> $reqwest::ClientBuilder {
                let builder = $reqwest::Client::builder();
                #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
                let builder = native(builder);
                builder
            }

            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            fn native(builder: $reqwest::ClientBuilder) -> $reqwest::ClientBuilder {
                const PROBE: Duration = Duration::from_secs(15);
                let builder = builder
                    .user_agent(concat!("everstream/", env!("CARGO_PKG_VERSION")))
                    .redirect($reqwest::redirect::Policy::none())
                    .retry($reqwest::retry::never())
                    .connect_timeout(Duration::from_secs(10))
                    .pool_idle_timeout(Duration::from_secs(4))
                    .tcp_keepalive(PROBE)
                    .tcp_keepalive_interval(PROBE)
                    .tcp_keepalive_retries(3);
                #[cfg(feature = "http2")]
                let builder = builder
                    .http2_keep_alive_interval(Duration::from_secs(30))
                    .http2_keep_alive_timeout(Duration::from_secs(20))
                    .http2_keep_alive_while_idle(true);
                builder
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
                    let body = Body::of_chunks(response.bytes_stream(), broken);
                    Self::new(status, headers, body).with_url(url)
                }
            }

            /// Sends a request once, as one for an event stream. With it comes where it goes.
            pub(crate) fn send_once(
                request: $reqwest::RequestBuilder,
            ) -> (Option<String>, impl Future<Output = Result<Response, Error>>) {
                let (client, request) = fresh(request).build_split();
                let url = request.as_ref().ok().map(|it| it.url().to_string());
                let response = async move {
                    let mut request = request.map_err(unmade)?;
                    for (name, value) in default_headers() {
                        request.headers_mut().entry(name).or_insert(value);
                    }
                    send(client, request).await
                };
                (url, response)
            }

            #[cfg(feature = "client")]
            impl IntoResponse for $reqwest::RequestBuilder {
                fn into_response(self, attempt: &Attempt) -> BoxFuture<'static, Result<Response, Error>> {
                    let (client, request) = fresh(self).build_split();
                    let request = request.map(|mut request| {
                        attempt.apply(request.headers_mut());
                        request
                    });
                    Box::pin(async move { send(client, request.map_err(unmade)?).await })
                }
            }

            #[cfg(feature = "client")]
            impl IntoConnector for $reqwest::RequestBuilder {
                fn into_connector(self) -> Connector {
                    let (client, request) = fresh(self).build_split();
                    Connector::new(Repeated {
                        client,
                        request: Some(request),
                        resend: false,
                    })
                }
            }

            /// One request, sent again and again.
            #[cfg(feature = "client")]
            struct Repeated {
                client: $reqwest::Client,
                request: Option<$reqwest::Result<$reqwest::Request>>,
                resend: bool,
            }

            #[cfg(feature = "client")]
            impl Connect for Repeated {
                fn connect(
                    &mut self,
                    attempt: Attempt,
                ) -> BoxFuture<'static, Result<Response, Error>> {
                    let request = match &self.request {
                        Some(Ok(request)) if self.resend => request.try_clone().map(Ok),
                        _ => self.request.take(),
                    };
                    let client = self.client.clone();
                    Box::pin(async move {
                        let mut request = request.ok_or_else(cannot_repeat)?.map_err(unmade)?;
                        attempt.apply(request.headers_mut());
                        send(client, request).await
                    })
                }

                fn prepare(&mut self, options: &PrepareOptions) -> Result<RequestPolicy, Error> {
                    let request = match self.request.take() {
                        Some(Ok(request)) => request,
                        Some(Err(error)) => return Err(unmade(error)),
                        None => return Err(cannot_repeat()),
                    };
                    self.resend = request.method().is_safe() || options.resend_unsafe_methods;
                    if self.resend && request.try_clone().is_none() {
                        return Err(cannot_repeat());
                    }
                    let policy = RequestPolicy {
                        resend: self.resend,
                        fresh: false,
                        last_event_id: last_event_id(request.headers()),
                        url: Some(request.url().to_string()),
                    };
                    self.request = Some(Ok(request));
                    Ok(policy)
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

            /// Sends a request, and whatever the client's own policy makes of a redirect.
            async fn send(
                client: $reqwest::Client,
                request: $reqwest::Request,
            ) -> Result<Response, Error> {
                let has_http_url = matches!(request.url().scheme(), "http" | "https");
                let response = client.execute(request).await;
                response.map(Response::from).map_err(|error| {
                    // The error doesn't say which request has failed: the user's, or one that a
                    // redirect made of it. Only a URL that is sent nowhere proves something.
                    failed(error).with_unsent(!has_http_url)
                })
            }

            /// What is wrong with a request that was not sent.
            pub(crate) fn unmade(error: $reqwest::Error) -> Error {
                let url = error.url().map(ToString::to_string);
                Error::of(ErrorKind::Request)
                    .and_source(error.without_url().into())
                    .or_url(url.as_deref())
            }

            /// What went wrong between a request and its response. Whether it was sent is not
            /// known here.
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
                let url = error.url().map(ToString::to_string);
                Error::of(kind)
                    .and_source(error.without_url().into())
                    .or_url(url.as_deref())
                    .with_unsent(false)
            }

            /// What went wrong within the body.
            fn broken(error: $reqwest::Error) -> Error {
                let kind = if error.is_timeout() {
                    ErrorKind::Timeout(Timeout::HttpClient)
                } else {
                    ErrorKind::Body
                };
                Error::of(kind).and_source(error.without_url().into())
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
serve!(v013, reqwest, reqwest013);
#[cfg(feature = "reqwest012")]
serve!(v012, reqwest012, reqwest012);

#[cfg(all(feature = "client", feature = "reqwest013"))]
mod own;
#[cfg(all(feature = "client", feature = "reqwest013"))]
pub use own::FollowRedirects;
