//! `next_event` and `next_signal`, the same for each stream.

/// `next_event` for a stream of `Result<$item, Error>` that is `Unpin`.
macro_rules! event {
    ($item:ty) => {
        /// Waits for the next event. `None` is the end of the stream.
        ///
        /// # Errors
        ///
        /// As the stream's items. After an error that
        /// [is final](crate::Error::is_final), it returns `None`.
        ///
        /// # Cancel safety
        ///
        /// The future can be dropped at any time without losing anything.
        pub async fn next_event(&mut self) -> Result<Option<$item>, crate::Error> {
            futures_util::TryStreamExt::try_next(self).await
        }
    };
}

/// `next_signal` for a stream of `Result<$item, Error>` that is `Unpin`.
macro_rules! signal {
    ($item:ty) => {
        /// Waits for the next signal. `None` is the end of the stream.
        ///
        /// # Errors
        ///
        /// As the stream's items. After an error that
        /// [is final](crate::Error::is_final), it returns `None`.
        ///
        /// # Cancel safety
        ///
        /// The future can be dropped at any time without losing anything.
        pub async fn next_signal(&mut self) -> Result<Option<$item>, crate::Error> {
            futures_util::TryStreamExt::try_next(self).await
        }
    };
}

/// `next_event` and `next_signal` for a wrapper `$wrapper<S>`, as `S` yields the one or the other.
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

/// `get_ref`, `get_mut` and `into_inner` for a wrapper with the stream beneath in a field `inner`.
macro_rules! accessors {
    () => {
        /// Borrows the stream beneath, also after the end.
        pub fn get_ref(&self) -> &S {
            &self.inner
        }

        /// Borrows the stream beneath mutably, also after the end.
        pub fn get_mut(&mut self) -> &mut S {
            &mut self.inner
        }

        /// Returns the stream beneath, where it was left off.
        pub fn into_inner(self) -> S {
            self.inner
        }
    };
}

pub(crate) use {accessors, event, signal, wrapper};
