//! Serializes and deserializes `Event` with serde, for example for a queue or a file.

use alloc::string::String;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Event, MESSAGE};

#[derive(Serialize)]
#[serde(rename = "Event")]
struct Borrowed<'a> {
    event_type: &'a str,
    data: &'a str,
    id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename = "Event")]
struct Owned {
    #[serde(default = "message")]
    event_type: String,
    data: String,
    #[serde(default)]
    id: String,
}

fn message() -> String {
    MESSAGE.into()
}

/// Serializes as a struct of three strings: `event_type`, `data` and `id`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = Borrowed {
            event_type: self.event_type(),
            data: self.data(),
            id: self.id(),
        };
        event.serialize(serializer)
    }
}

/// Deserializes what [`Serialize`] wrote. `event_type` and `id` are optional. Line ends in `data`
/// become LF, as in [`Event::new`].
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Owned::deserialize(deserializer)?;
        Ok(Self::new(event.data)
            .with_event_type(event.event_type)
            .with_id(event.id))
    }
}
