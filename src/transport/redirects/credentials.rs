//! Converts `user:password@` in a URL to a header (RFC 7617).

use http::HeaderValue;
use url::Url;

/// Removes the credentials from a URL, and returns them as a header value. `None` if there are
/// none.
pub(super) fn take(url: &mut Url) -> Option<HeaderValue> {
    let (user, password) = (url.username(), url.password());
    if user.is_empty() && password.is_none() {
        return None;
    }
    let mut pair = percent_decoded(user);
    pair.push(b':');
    pair.extend(percent_decoded(password.unwrap_or_default()));
    let header = format!("Basic {}", base64(&pair));
    let mut header = HeaderValue::try_from(header).expect("base64 fits in a header");
    header.set_sensitive(true);
    // An HTTP URL can have both.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(header)
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let hex = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            if let (Some(high), Some(low)) = (hex(after.first()), hex(after.get(1))) {
                decoded.push((high * 16 + low) as u8);
                rest = &after[2..];
                continue;
            }
        }
        decoded.push(byte);
    }
    decoded
}

/// RFC 4648 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            text.push(match digit <= three.len() {
                true => char::from(ALPHABET[index as usize]),
                false => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_become_a_header_and_leave_the_url() {
        for (userinfo, header) in [
            ("", None),
            ("user:pw@", Some("Basic dXNlcjpwdw==")),
            ("user@", Some("Basic dXNlcjo=")),
            (":pw@", Some("Basic OnB3")),
            ("us%3Aer:p%C3%A4@", Some("Basic dXM6ZXI6cMOk")),
            ("50%:%zz%4@", Some("Basic NTAlOiV6eiU0")),
            ("a:b:c@", Some("Basic YTpiOmM=")),
        ] {
            let mut url = Url::parse(&format!("https://{userinfo}a.test/x?y")).unwrap();
            let taken = take(&mut url);
            assert_eq!(
                taken.as_ref().map(|it| it.to_str().unwrap()),
                header,
                "{userinfo}"
            );
            assert!(taken.is_none_or(|it| it.is_sensitive()));
            assert_eq!(url.as_str(), "https://a.test/x?y");
        }
    }
}
