//! The data of an event, read as JSON.

/// The data of an event is not JSON, or is JSON that does not fit the type asked for.
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
/// Its text says what is wrong and where, and can show some of the data.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JsonError(serde_json::Error);

impl JsonError {
    /// The line of the data in which the error was found; the first is 1. 0 if it is not known.
    ///
    /// Each `data` field of the stream is a line.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// Where in that line the error was found, in bytes; the first is 1. 0 if it was found before
    /// the first, or is not known.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column()
    }

    /// Whether the data is not JSON, such as a text, or JSON that is cut short.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        self.0.is_syntax() || self.0.is_eof()
    }

    /// Whether the data is JSON that does not fit the type: a field is missing, for example, or is
    /// of another type.
    ///
    /// What comes after the place of the error was not read, and may not be JSON.
    #[must_use]
    pub fn is_data(&self) -> bool {
        self.0.is_data()
    }
}

pub(super) fn from_data<'a, T: serde::Deserialize<'a>>(data: &'a str) -> Result<T, JsonError> {
    serde_json::from_str(data).map_err(JsonError)
}
