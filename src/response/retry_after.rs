//! Reads how long a server asks clients to wait.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, header};

/// The maximum delay; a longer one makes no difference.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Returns the delay of `Retry-After` (RFC 9110 10.2.3), from now, or of `retry-after-ms`, which
/// some APIs also send. A date is compared with the server's own `Date` header, if there is one,
/// because its clock may be wrong.
///
/// Fractions of a second, which the RFC doesn't allow, are accepted and rounded up to a
/// millisecond.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    const MILLISECONDS: HeaderName = HeaderName::from_static("retry-after-ms");

    let value = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = value(&MILLISECONDS)
        .and_then(|millis| number(millis, 1))
        .or_else(|| number(value(&header::RETRY_AFTER)?, 1000))
        .or_else(|| date(value(&header::RETRY_AFTER)?, value(&header::DATE), now))?;
    Some(asked.min(LONGEST))
}

/// Parses a decimal number in a unit of so many milliseconds.
fn number(value: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // A value that doesn't fit is as good as forever.
    let whole = whole
        .parse()
        .map_or(u64::MAX, |it: u64| it.saturating_mul(unit));
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    let rounded_up = (fraction * unit as f64).ceil() as u64;
    Some(Duration::from_millis(whole.saturating_add(rounded_up)))
}

fn date(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let until = httpdate::parse_http_date(value).ok()?;
    let now = date
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .unwrap_or(now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn accepts_every_form_of_retry_after() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let now = httpdate::parse_http_date(date).unwrap();
        let year = LONGEST.as_millis() as u64;
        for (name, value, date, expected) in [
            ("retry-after", "120", None, Some(120_000)),
            ("retry-after", " 7 ", None, Some(7000)),
            ("retry-after", "4.7", None, Some(4700)),
            ("retry-after", "0.0001", None, Some(1)),
            (
                "retry-after",
                "Sun, 06 Nov 1994 08:50:07 GMT",
                None,
                Some(30_000),
            ),
            (
                "retry-after",
                "Sun, 06 Nov 1994 08:50:07 GMT",
                Some(date),
                Some(30_000),
            ),
            (
                "retry-after",
                "Sun, 06 Nov 1994 08:50:07 GMT",
                Some("Sun, 06 Nov 1994 08:50:00 GMT"),
                Some(7000),
            ),
            (
                "retry-after",
                "Sun, 06 Nov 1994 08:00:00 GMT",
                None,
                Some(0),
            ),
            ("retry-after", "99999999999999999999999", None, Some(year)),
            (
                "retry-after",
                "Fri, 31 Dec 9999 23:59:59 GMT",
                None,
                Some(year),
            ),
            ("retry-after", "soon", None, None),
            ("retry-after", "-1", None, None),
            ("retry-after", "1.", None, None),
            ("retry-after", ".5", None, None),
            ("retry-after", "1e3", None, None),
            ("retry-after", "", None, None),
            ("retry-after-ms", "1500", None, Some(1500)),
            ("retry-after-ms", "0.5", None, Some(1)),
            ("retry-after-ms", "soon", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            if let Some(date) = date {
                headers.insert(header::DATE, HeaderValue::from_str(date).unwrap());
            }
            let asked = retry_after(&headers, now);
            assert_eq!(
                asked,
                expected.map(Duration::from_millis),
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn retry_after_ms_takes_precedence() {
        let both = HeaderMap::from_iter([
            (header::RETRY_AFTER, HeaderValue::from_static("2")),
            (
                HeaderName::from_static("retry-after-ms"),
                HeaderValue::from_static("1250"),
            ),
        ]);
        let asked = retry_after(&both, SystemTime::UNIX_EPOCH);
        assert_eq!(asked, Some(Duration::from_millis(1250)));
    }
}
