//! [`Accepted`]: which responses to accept as an event stream.

use std::sync::Arc;

use http::StatusCode;

use super::ContentType;
use crate::transport::maybe_send::StatusPredicate;

/// Which responses to accept as an event stream, and how much to keep of others.
#[derive(Clone)]
pub(crate) struct Accepted {
    pub(crate) content_type: ContentType,
    /// Which statuses to accept; only 200 by default.
    pub(crate) status: Option<Arc<StatusPredicate>>,
    /// How many bytes to keep of a response that is not an event stream.
    pub(crate) max_error_body_bytes: usize,
}

impl Default for Accepted {
    fn default() -> Self {
        Self {
            content_type: ContentType::default(),
            status: None,
            max_error_body_bytes: 64 * 1024,
        }
    }
}

impl Accepted {
    /// Whether to accept a status. Never accepts 204, which ends a feed (WHATWG HTML 9.2.1).
    pub(super) fn status(&self, status: StatusCode) -> bool {
        match &self.status {
            None => status == StatusCode::OK,
            Some(accepted) => status != StatusCode::NO_CONTENT && accepted(status),
        }
    }
}
