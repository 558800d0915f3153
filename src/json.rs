//! Typed events: the data of an event read as JSON.

/// The data of an event is not JSON, or not JSON that fits the type asked for.
#[derive(Debug, thiserror::Error)]
#[error("the data of the event does not fit the type")]
pub struct JsonError(#[from] serde_json::Error);

pub(crate) fn from_data<'a, T: serde::Deserialize<'a>>(data: &'a str) -> Result<T, JsonError> {
    Ok(serde_json::from_str(data)?)
}
