//! [`Accepted`]: what to take for an event stream.

use std::sync::Arc;

use http::StatusCode;

use super::ContentType;
use crate::transport::maybe_send::StatusPredicate;

/// What to take for an event stream, and how much to keep of anything else.
#[derive(Clone)]
pub(crate) struct Accepted {
    pub(crate) content_type: ContentType,
    /// Which statuses are an event stream; 200 alone by default.
    pub(crate) status: Option<Arc<StatusPredicate>>,
    /// How many bytes of an answer that is not an event stream are kept.
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
    /// A 204 never is: it ends a feed (WHATWG HTML 9.2.1).
    pub(super) fn status(&self, status: StatusCode) -> bool {
        match &self.status {
            None => status == StatusCode::OK,
            Some(accepted) => status != StatusCode::NO_CONTENT && accepted(status),
        }
    }
}
