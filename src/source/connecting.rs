//! [`Connecting`]: makes the connections of a source.

use std::task::{Context, Poll, ready};

use crate::{
    error::Error,
    response::{Accepted, Opening, Waiting},
    stream::Options,
    transport::{Attempt, Body, Connect, Connector, Head},
};

/// The connector, and the current request.
///
/// Only this type knows whether there is a request. The source sends it when the session starts to
/// connect, and [abandons](Self::abandon) it when the session leaves that state.
pub(super) struct Connecting {
    connector: Connector,
    accepted: Accepted,
    /// The URL of the request, if the connector provided it.
    url: Option<Box<str>>,
    /// Boxed, to save memory while the source is open.
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

    /// Ready with the head and the body of an event stream, or with the error of the request; with
    /// `None` if there is no request.
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

    /// Drops the current request.
    pub(super) fn abandon(&mut self) {
        self.opening = None;
    }
}
