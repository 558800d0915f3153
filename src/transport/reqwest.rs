//! Both versions of reqwest as the HTTP client. The extension traits for its types are in
//! `requests`.

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

/// Implements the traits for one version of reqwest. The versions have types with the same methods,
/// but no common traits.
macro_rules! serve {
    ($version:ident, $reqwest:ident, $module:ident) => {
        pub(crate) mod $version {
            use super::*;

            /// Creates a client builder with settings for streamed responses. Change its settings
            /// as you like, then call `build`.
            ///
            /// ```
            #[doc = concat!("let client = everstream::", stringify!($module), "::client_builder().build()?;")]
            #[doc = concat!("# Ok::<(), ", stringify!($reqwest), "::Error>(())")]
            /// ```
            ///
            /// reqwest's default settings can send a request twice, or wait forever on a dead
            /// stream. This client differs from them as follows:
            ///
            /// * It follows no redirects: a 301 or 307 is an error with that status. reqwest sends
            ///   the body again on 307 and 308, and on every redirect it sends keys in headers such
            ///   as `x-api-key` to other origins. Without redirects, a failure to connect
            ///   ([`Error::is_connect`]) means that nothing was sent.
            /// * It never retries. reqwest sends a request that an HTTP/2 server has refused
            ///   (`REFUSED_STREAM`, `GOAWAY`) up to three times, even a POST.
            /// * Connecting times out after 10 seconds.
            /// * Like reqwest's default, it has no total timeout, which would end a healthy stream,
            ///   and no read timeout: errors from this crate's own limits say what timed out.
            /// * An idle connection is closed after 4 seconds instead of 90. Servers close idle
            ///   connections after 5 seconds (Node, uvicorn), 60 (AWS load balancers) or 75
            ///   (nginx). If a POST is sent at that moment, it fails, and it is unknown whether the
            ///   server processed it.
            /// * It detects dead peers: with TCP keep-alive, after 15 seconds of silence and three
            ///   probes 15 seconds apart; over HTTP/2, with a PING every 30 seconds that must be
            ///   answered within 20 seconds. The latter needs this crate's `http2` feature, which
            ///   is enabled by default. If you disable it but enable HTTP/2 in reqwest yourself,
            ///   add `.http2_keep_alive_interval(…)` and `.http2_keep_alive_timeout(…)`.
            /// * It decodes no compression. reqwest decodes what the server compresses, even if the
            ///   request asked for no compression; of a gzip body in several members, it decodes
            ///   only the first, and the events after that can vanish without an error. With this
            ///   client, a compressed event stream is an error of kind
            ///   [`ErrorKind::ContentEncoding`]. To decode it after all, use reqwest's `gzip(true)`.
            /// * Its `User-Agent` is `everstream` with the version; change it with `user_agent`.
            ///
            /// Everything else, such as TLS, proxies and cookies, has reqwest's defaults.
            ///
            /// In a browser, this is reqwest's default client builder: the browser controls
            /// redirects, connections and the `User-Agent`.
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
                    .no_gzip()
                    .no_brotli()
                    .no_deflate()
                    .no_zstd()
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
                        // Fetch has already decompressed the body, but keeps the header.
                        headers.remove(header::CONTENT_ENCODING);
                    }
                    let url = response.url().to_string();
                    let body = Body::of_chunks(response.bytes_stream(), broken);
                    Self::new(status, headers, body).with_url(url)
                }
            }

            /// Sends a request for an event stream once. Also returns its URL.
            pub(crate) fn send_once(
                request: $reqwest::RequestBuilder,
            ) -> (Option<String>, impl Future<Output = Result<Response, Error>>) {
                let (client, request) = fresh(request).build_split();
                let url = request.as_ref().ok().map(|it| it.url().to_string());
                let response = async move {
                    let mut request = request.map_err(invalid_request)?;
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
                    Box::pin(async move { send(client, request.map_err(invalid_request)?).await })
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

            /// A connector that repeats one request.
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
                        let mut request = request.ok_or_else(cannot_repeat)?.map_err(invalid_request)?;
                        attempt.apply(request.headers_mut());
                        send(client, request).await
                    })
                }

                fn prepare(&mut self, options: &PrepareOptions) -> Result<RequestPolicy, Error> {
                    let request = match self.request.take() {
                        Some(Ok(request)) => request,
                        Some(Err(error)) => return Err(invalid_request(error)),
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

            /// Prevents responses from a cache. Native clients send a header instead.
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            pub(super) fn fresh(request: $reqwest::RequestBuilder) -> $reqwest::RequestBuilder {
                request
            }

            #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
            pub(super) fn fresh(request: $reqwest::RequestBuilder) -> $reqwest::RequestBuilder {
                request.fetch_cache_no_store()
            }

            /// Sends a request. The client may follow redirects.
            async fn send(
                client: $reqwest::Client,
                request: $reqwest::Request,
            ) -> Result<Response, Error> {
                let has_http_url = matches!(request.url().scheme(), "http" | "https");
                let response = client.execute(request).await;
                response.map(Response::from).map_err(|error| {
                    // The error doesn't tell whether the user's request failed, or one after a
                    // redirect. Only a URL that is not HTTP proves that nothing was sent.
                    failed(error).with_unsent(!has_http_url)
                })
            }

            /// Converts an error of a request that was not sent.
            pub(crate) fn invalid_request(error: $reqwest::Error) -> Error {
                let url = error.url().map(ToString::to_string);
                Error::of(ErrorKind::Request)
                    .and_source(error.without_url().into())
                    .or_url(url.as_deref())
            }

            /// Converts an error between the request and its response. It is not known here whether
            /// the request was sent.
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

            /// Converts an error of the body.
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

            /// Browsers don't tell the reason of an error.
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
        "the request body cannot be sent again to reconnect: use a buffered body, or a factory",
    )
}

/// The ID of a request that already has a `Last-Event-ID` header.
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
