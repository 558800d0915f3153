//! `Send` and `Sync` bounds that don't apply on wasm, because browser types are neither.

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
mod send {
    /// `Send`, except on wasm, where browser types are not `Send`.
    pub trait MaybeSend: Send {}
    impl<T: Send> MaybeSend for T {}

    /// `Sync`, except on wasm.
    pub trait MaybeSync: Sync {}
    impl<T: Sync> MaybeSync for T {}

    /// A boxed future, which is `Send` except on wasm.
    pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;
    pub(crate) type BoxStream<'a, T> = futures_util::stream::BoxStream<'a, T>;
    pub(crate) type EventPredicate = Box<dyn FnMut(&crate::Event) -> bool + Send>;
    pub(crate) type StatusPredicate = dyn Fn(http::StatusCode) -> bool + Send + Sync;
}

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod send {
    /// `Send`, except on wasm, where browser types are not `Send`.
    pub trait MaybeSend {}
    impl<T> MaybeSend for T {}

    /// `Sync`, except on wasm.
    pub trait MaybeSync {}
    impl<T> MaybeSync for T {}

    /// A boxed future, which is `Send` except on wasm.
    pub type BoxFuture<'a, T> = futures_util::future::LocalBoxFuture<'a, T>;
    pub(crate) type BoxStream<'a, T> = futures_util::stream::LocalBoxStream<'a, T>;
    pub(crate) type EventPredicate = Box<dyn FnMut(&crate::Event) -> bool>;
    pub(crate) type StatusPredicate = dyn Fn(http::StatusCode) -> bool;
}

pub use send::*;
