//! The part of a URL that an error shows.

use std::fmt::{self, Write as _};

/// Scheme, host and path of a URL. User, password, query and fragment are left out, since they may
/// be secret.
pub(super) struct ShownUrl<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
}

/// The longest URL that is shown, in characters: a server can redirect to a URL of any length.
const FITS: usize = 200;

impl<'a> ShownUrl<'a> {
    /// Returns `None` if it isn't a URL with a host, since such a text might contain anything.
    pub(super) fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_scheme = !scheme.is_empty()
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        // Browsers treat a backslash as a slash.
        let end = rest.find(['/', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = match authority.rsplit_once('@') {
            Some((_credentials, host)) => host,
            None => authority,
        };
        (is_scheme && !host.is_empty()).then_some(Self { scheme, host, path })
    }
}

impl fmt::Display for ShownUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.scheme, "://", self.host, self.path];
        let mut chars = parts.into_iter().flat_map(str::chars);
        for char in chars.by_ref().take(FITS) {
            f.write_char(if char.is_control() { ' ' } else { char })?;
        }
        match chars.next() {
            Some(_) => f.write_char('…'),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_path_are_shown() {
        for (url, shown) in [
            ("https://example.com", Some("https://example.com")),
            ("https://example.com/", Some("https://example.com/")),
            (
                "http://h:8080/v1/chat?key=K#F",
                Some("http://h:8080/v1/chat"),
            ),
            ("https://h?key=K", Some("https://h")),
            ("https://h#F", Some("https://h")),
            ("https://U:P@h/x", Some("https://h/x")),
            ("https://U:P@Q@h/x", Some("https://h/x")),
            ("https://U:P@h?a=/b@c", Some("https://h")),
            ("https://U:P@h\\x@y", Some("https://h\\x@y")),
            ("https://h/@name/feed", Some("https://h/@name/feed")),
            ("https://[::1]:80/x", Some("https://[::1]:80/x")),
            ("https://h/a\nb", Some("https://h/a b")),
            ("https://U:P@/x", None),
            ("://h/x", None),
            ("K://U@h", Some("K://h")),
            ("K K://h", None),
            ("/x?key=K", None),
            ("h/x", None),
            ("data:text/event-stream,K", None),
            ("", None),
        ] {
            let is = ShownUrl::of(url).map(|url| url.to_string());
            assert_eq!(is.as_deref(), shown, "{url}");
        }
    }

    #[test]
    fn a_long_url_is_cut() {
        let of_length = |length: usize| format!("http://h/{}", "ä".repeat(length - 9));
        let shown = |url: &str| ShownUrl::of(url).unwrap().to_string();
        let fits = of_length(FITS);
        assert_eq!(shown(&fits), fits);
        let longer = of_length(FITS + 1);
        assert_eq!(shown(&longer), fits + "…");
    }
}
