//! The data of an event, read as JSON.

/// The data of an event is not JSON, or is JSON that does not fit the type asked for.
#[derive(Debug, thiserror::Error)]
#[error("the data of the event does not fit its type")]
pub struct JsonError(#[source] serde_json::Error);

pub(super) fn from_data<'a, T: serde::Deserialize<'a>>(data: &'a str) -> Result<T, JsonError> {
    serde_json::from_str(data).map_err(JsonError)
}
