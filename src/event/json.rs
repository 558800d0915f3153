//! Reading the data of an event as JSON.

use alloc::string::{String, ToString};
use core::fmt;

use serde_json::error::Category;

/// The data of an event is not JSON, or does not fit the requested type.
///
/// ```
/// use everstream::Event;
///
/// let error = Event::new("{\n  \"id\": x }").json::<serde_json::Value>().unwrap_err();
/// assert!(error.is_syntax());
/// assert_eq!((error.line(), error.column()), (2, 9));
///
/// let error = Event::new("[1, true]").json::<Vec<u8>>().unwrap_err();
/// assert!(error.is_data());
/// ```
///
/// `Display` says which, and where. The data may be secret, so `Display` and `Debug` don't quote
/// it, but [`detail`](Self::detail) may.
pub struct JsonError(serde_json::Error);

impl JsonError {
    /// Returns the line of the data at which reading stopped, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// Returns the column at which reading stopped, in bytes, from 1. It is 0 before the first byte
    /// of a line.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column()
    }

    /// Whether the data is not valid JSON: some other text, or JSON that was cut short.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        self.0.is_syntax() || self.0.is_eof()
    }

    /// Whether the data is JSON that does not fit the type: for example, a field is missing or has
    /// another type.
    ///
    /// The data after the error was not read, and may be invalid JSON.
    #[must_use]
    pub fn is_data(&self) -> bool {
        self.0.is_data()
    }

    /// Returns the message of the deserializer, such as ``missing field `text` ``.
    ///
    /// It may quote the data: `invalid type: string "…", expected u64`. Don't log it if the data is
    /// secret.
    #[must_use]
    pub fn detail(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.0.classify() {
            Category::Data => "a value of the JSON does not fit the type",
            Category::Eof => "the JSON ends too early",
            Category::Syntax | Category::Io => "the data is not valid JSON",
        };
        write!(f, "{what} (line {}, column {})", self.line(), self.column())
    }
}

impl fmt::Debug for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonError")
            .field("category", &self.0.classify())
            .field("line", &self.line())
            .field("column", &self.column())
            .finish_non_exhaustive()
    }
}

/// It has no source: serde's error would quote the data.
impl core::error::Error for JsonError {}

pub(super) fn from_data<'a, T: serde::Deserialize<'a>>(data: &'a str) -> Result<T, JsonError> {
    serde_json::from_str(data).map_err(JsonError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_problem_and_position_and_quotes_only_on_request() {
        for (data, shown, detail) in [
            (
                "[1,\n \"s3cr3t\"]",
                "a value of the JSON does not fit the type (line 2, column 9)",
                "invalid type: string \"s3cr3t\", expected u8 at line 2 column 9",
            ),
            (
                "[1, oops]",
                "the data is not valid JSON (line 1, column 5)",
                "expected value at line 1 column 5",
            ),
            (
                "[1,",
                "the JSON ends too early (line 1, column 3)",
                "EOF while parsing a value at line 1 column 3",
            ),
        ] {
            let error = from_data::<[u8; 2]>(data).unwrap_err();
            assert_eq!(error.to_string(), shown);
            assert_eq!(error.detail(), detail);
            assert!(core::error::Error::source(&error).is_none());
        }
    }
}
