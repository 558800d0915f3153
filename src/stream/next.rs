//! `next_event` and `next_signal`, shared by all streams.

/// `next_event` for a stream of `Result<$item, Error>` that is `Unpin`.
macro_rules! event {
    ($item:ty) => {
        /// Waits for the next event. Returns `None` at the end of the stream.
        ///
        /// # Errors
        ///
        /// The same errors as the stream's items. After an error that [is
        /// final](crate::Error::is_final), it returns `None`.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future loses no events.
        pub async fn next_event(&mut self) -> Result<Option<$item>, crate::Error> {
            futures_util::TryStreamExt::try_next(self).await
        }
    };
}

/// `next_signal` for a stream of `Result<$item, Error>` that is `Unpin`.
macro_rules! signal {
    ($item:ty) => {
        /// Waits for the next signal. Returns `None` at the end of the stream.
        ///
        /// # Errors
        ///
        /// The same errors as the stream's items. After an error that [is
        /// final](crate::Error::is_final), it returns `None`.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future loses no events.
        pub async fn next_signal(&mut self) -> Result<Option<$item>, crate::Error> {
            futures_util::TryStreamExt::try_next(self).await
        }
    };
}

/// `next_event` or `next_signal` for a wrapper `$wrapper<S>`, depending on what `S` yields.
macro_rules! wrapper {
    ($wrapper:ident) => {
        impl<S> $wrapper<S>
        where
            S: futures_util::Stream<Item = Result<crate::Event, crate::Error>> + Unpin,
        {
            super::next::event!(crate::Event);
        }

        impl<S> $wrapper<S>
        where
            S: futures_util::Stream<Item = Result<crate::Signal, crate::Error>> + Unpin,
        {
            super::next::signal!(crate::Signal);
        }
    };
}

/// `get_ref`, `get_mut` and `into_inner` for a wrapper with the inner stream in a field `inner`.
macro_rules! accessors {
    () => {
        /// Borrows the inner stream. This works after the end, too.
        pub fn get_ref(&self) -> &S {
            &self.inner
        }

        /// Mutably borrows the inner stream. This works after the end, too.
        pub fn get_mut(&mut self) -> &mut S {
            &mut self.inner
        }

        /// Returns the inner stream, which continues at the same position.
        pub fn into_inner(self) -> S {
            self.inner
        }
    };
}

pub(crate) use {accessors, event, signal, wrapper};
