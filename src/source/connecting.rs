//! [`Connecting`]: what makes the connections of a source.

use std::task::{Context, Poll, ready};

use crate::{
    error::Error,
    response::{Accepted, Opening, Waiting},
    stream::Options,
    transport::{Attempt, Body, Connect, Connector, Head},
};

/// The connector, and the request that is under way.
///
/// It alone knows whether there is one: a session that is connecting has sent it, and whatever leads
/// out of that state [abandons](Self::abandon) it.
pub(super) struct Connecting {
    connector: Connector,
    accepted: Accepted,
    /// The URL that is asked, where the connector told it.
    url: Option<Box<str>>,
    /// Boxed, as an open source has no use for its room.
    opening: Option<Box<Opening>>,
}

impl Connecting {
    pub(super) fn new(connector: Connector, options: &Options) -> Self {
        Self {
            connector,
            accepted: options.accepted.clone(),
            url: options.url.clone(),
            opening: None,
        }
    }

    /// Sends a request.
    pub(super) fn send(&mut self, attempt: Attempt, waiting: &mut Waiting) {
        let response = self.connector.connect(attempt);
        let (accepted, url) = (self.accepted.clone(), self.url.clone());
        let opening = Opening::new(response, accepted, url, waiting);
        self.opening = Some(Box::new(opening));
    }

    /// Ready with the head and the body of an event stream, or with what else has come of the
    /// request; with `None` where none is under way.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
    ) -> Poll<Option<Result<(Head, Body), Error>>> {
        let Some(opening) = &mut self.opening else {
            return Poll::Ready(None);
        };
        let opened = ready!(opening.poll(cx, waiting));
        self.opening = None;
        Poll::Ready(Some(opened))
    }

    /// Gives up the request that is under way.
    pub(super) fn abandon(&mut self) {
        self.opening = None;
    }
}
