//! Redirects: where the next request goes, and what it carries there.
//!
//! As WHATWG Fetch 4.4 ("HTTP-redirect fetch") has it, and stricter with secrets: another origin
//! is told nothing but what to answer in, and where to resume from.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use super::LAST_EVENT_ID;
use crate::error::{Error, ErrorKind, Refusal};

/// As many as a browser follows.
pub(super) const MAX_REDIRECTS: usize = 20;

/// A request that can be sent again, elsewhere.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Parts {
    /// Turns the request into the one that a response redirects to. `false` where it is no
    /// redirect.
    pub(super) fn redirect(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<bool, Error> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(false);
        }
        let location = headers
            .get(header::LOCATION)
            .map(|location| String::from_utf8_lossy(location.as_bytes()))
            .filter(|location| !location.trim().is_empty())
            .ok_or_else(|| refused(status, headers, "names no location"))?;
        let next = self
            .url
            .join(&location)
            .ok()
            .filter(|next| matches!(next.scheme(), "http" | "https") && next.has_host())
            .ok_or_else(|| refused(status, headers, "names a location that is no HTTP URL"))?;
        let becomes_get = match status.as_u16() {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::GET && self.method != Method::HEAD,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.drop_body();
        }
        if next.origin() != self.url.origin() {
            self.keep_secrets();
        }
        self.url = next;
        Ok(true)
    }

    fn drop_body(&mut self) {
        self.body = Bytes::new();
        for name in [
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::CONTENT_ENCODING,
            header::CONTENT_LANGUAGE,
            header::CONTENT_LOCATION,
        ] {
            self.headers.remove(name);
        }
    }

    /// Another origin gets no header that the user has set, whatever it is called. It gets the last
    /// event ID, as from a browser: without it each reconnection to a feed that has moved, be it to
    /// `https`, would start from the beginning, and what came meanwhile would be lost unseen.
    fn keep_secrets(&mut self) {
        let carried = [
            header::ACCEPT,
            header::ACCEPT_ENCODING,
            header::CACHE_CONTROL,
            LAST_EVENT_ID,
        ]
        .into_iter()
        .chain((!self.body.is_empty()).then_some(header::CONTENT_TYPE));
        self.headers = carried
            .filter_map(|name| self.headers.remove(&name).map(|value| (name, value)))
            .collect();
    }
}

/// More redirects than anyone means.
pub(super) fn endless() -> Error {
    Error::of(ErrorKind::Redirect)
        .and_message(format!("there were more than {MAX_REDIRECTS} redirects"))
}

fn refused(status: StatusCode, headers: &HeaderMap, what: &str) -> Error {
    Error::of(ErrorKind::Redirect)
        .and_message(format!("the redirect ({}) {what}", status.as_u16()))
        .and_refusal(Refusal {
            status: Some(status),
            headers: headers.clone(),
            ..Refusal::of_body(Bytes::new(), false)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn post(url: &str) -> Parts {
        let headers = [
            ("accept", "text/event-stream"),
            ("cache-control", "no-cache"),
            ("authorization", "Bearer secret"),
            ("x-api-key", "secret"),
            ("cookie", "secret"),
            ("last-event-id", "7"),
            ("content-type", "application/json"),
        ];
        Parts {
            method: Method::POST,
            url: Url::parse(url).unwrap(),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect(),
            body: Bytes::from_static(b"{}"),
        }
    }

    fn location(to: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::LOCATION, to.parse().unwrap())])
    }

    #[test]
    fn method_and_body_follow_the_status() {
        for (status, method, expected, has_body) in [
            (301, Method::POST, Method::GET, false),
            (302, Method::POST, Method::GET, false),
            (303, Method::POST, Method::GET, false),
            (307, Method::POST, Method::POST, true),
            (308, Method::POST, Method::POST, true),
            (301, Method::PUT, Method::PUT, true),
            (303, Method::PUT, Method::GET, false),
            (303, Method::GET, Method::GET, true),
        ] {
            let mut parts = post("http://a.test/x");
            parts.method = method;
            let status = StatusCode::from_u16(status).unwrap();
            assert!(parts.redirect(status, &location("/y")).unwrap());
            assert_eq!(parts.method, expected, "{status}");
            assert_eq!(!parts.body.is_empty(), has_body, "{status}");
            assert_eq!(parts.headers.contains_key("content-type"), has_body);
            assert!(
                parts.headers.contains_key("authorization"),
                "the origin is the same"
            );
        }
    }

    #[test]
    fn locations_are_resolved() {
        for (to, expected) in [
            ("/y", Some("http://a.test/y")),
            ("y?z", Some("http://a.test/x/y?z")),
            ("//b.test/y", Some("http://b.test/y")),
            ("https://a.test/y", Some("https://a.test/y")),
            ("http://[", None),
            ("ftp://a.test/", None),
            ("data:text/event-stream,data:x", None),
            ("", None),
            (" ", None),
        ] {
            let mut parts = post("http://a.test/x/");
            let followed = parts.redirect(StatusCode::FOUND, &location(to));
            assert_eq!(followed.is_ok(), expected.is_some(), "{to:?}");
            if let Some(expected) = expected {
                assert_eq!(parts.url.as_str(), expected);
            }
        }
        let mut parts = post("http://a.test/x");
        let error = parts
            .redirect(StatusCode::FOUND, &HeaderMap::new())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redirect);
        assert_eq!(error.status(), Some(StatusCode::FOUND));
        assert!(
            !parts
                .redirect(StatusCode::NOT_MODIFIED, &location("/y"))
                .unwrap()
        );
    }

    #[test]
    fn another_origin_learns_no_secret() {
        for to in ["http://b.test/", "https://a.test/", "http://a.test:8080/"] {
            let mut parts = post("http://a.test/x");
            parts
                .redirect(StatusCode::TEMPORARY_REDIRECT, &location(to))
                .unwrap();
            let mut names: Vec<_> = parts.headers.keys().map(http::HeaderName::as_str).collect();
            names.sort_unstable();
            let carried = ["accept", "cache-control", "content-type", "last-event-id"];
            assert_eq!(names, carried, "{to}");
            // Not even on the way back.
            let back = location("http://a.test/x");
            parts
                .redirect(StatusCode::TEMPORARY_REDIRECT, &back)
                .unwrap();
            assert!(!parts.headers.contains_key("authorization"));
        }
    }
}
