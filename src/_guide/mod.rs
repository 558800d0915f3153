//! The guide: what to write for what, each page with code that is run by the tests.
//!
//! # One answer
//!
//! * [One answer](one_answer): a request to an LLM, sent once, streamed until it is complete
//! * [Typed answers](typed_answers): events as values of a type of yours
//! * [Time limits](time_limits): which there are, and which to set
//! * [Retries and money](retries_and_money): what is never repeated, and when you may
//!
//! # Providers
//!
//! * [OpenAI Chat](openai_chat), and everything of its shape
//! * [OpenAI Responses](openai_responses), and how to resume one
//! * [Anthropic](anthropic)
//! * [Gemini](gemini)
//! * [Azure, LiteLLM, OpenRouter and other gateways](gateways): what each changes in the stream
//! * [MCP](mcp): a call that is answered over several connections
//!
//! # Feeds
//!
//! * [Feeds](feeds): reconnecting, and how to be told of it
//! * [Resuming after a restart](resuming): what to store, and when
//! * [Tokens that expire](tokens_that_expire): a request made anew each time
//! * [Many feeds](many_feeds): one client for all, and HTTP/2's limit on streams
//! * [Sleeping laptops](sleeping_laptops): reconnecting on wake
//!
//! # The network in between
//!
//! * [Proxies and buffering](proxies_and_buffering): nginx, Caddy, Cloudflare, `HTTP_PROXY`
//! * [Certificates](certificates): an authority of your own, a certificate of the client
//! * [Redirects and keys](redirects_and_keys): who follows, and what goes along
//! * [Stale connections](stale_connections): why the first request after a pause fails
//! * [Unix sockets](unix_sockets), and whatever else Tokio can read
//!
//! # Around it
//!
#![cfg_attr(
    feature = "testing",
    doc = "* [Testing your code](testing_your_code): the scripted server and connector"
)]
#![cfg_attr(
    not(feature = "testing"),
    doc = "* Testing your code, a page of the feature `testing`"
)]
//! * [Writing a server](writing_a_server)
//! * [Writing a connector](writing_a_connector): hyper, tower, middleware
//! * [In a browser](in_a_browser): WebAssembly, over `fetch`
//! * [The standard](the_standard), and every departure from it
//!
//! # Coming from another crate
//!
//! * [reqwest-eventsource](from_reqwest_eventsource)
//! * [eventsource-client](from_eventsource_client)
//! * [eventsource-stream](from_eventsource_stream)
//! * [sse-stream](from_sse_stream)
//!
//! The code is that of Tokio and reqwest 0.13. Where it asks a server, hidden lines have started
//! one: that of the feature `testing`, which your own tests can use too.

/// A page is a Markdown file, written for the default features.
macro_rules! pages {
    ($($name:ident)*) => {$(
        #[doc = include_str!(concat!(stringify!($name), ".md"))]
        #[cfg(all(feature = "client", feature = "reqwest013", feature = "json"))]
        pub mod $name {}
    )*};
}

pages! {
    anthropic
    certificates
    feeds
    from_eventsource_client
    from_eventsource_stream
    from_reqwest_eventsource
    from_sse_stream
    gateways
    gemini
    in_a_browser
    many_feeds
    mcp
    one_answer
    openai_chat
    openai_responses
    proxies_and_buffering
    redirects_and_keys
    resuming
    retries_and_money
    sleeping_laptops
    stale_connections
    the_standard
    time_limits
    tokens_that_expire
    typed_answers
    unix_sockets
    writing_a_connector
    writing_a_server
}

#[cfg(all(
    feature = "client",
    feature = "reqwest013",
    feature = "json",
    feature = "testing"
))]
#[doc = include_str!("testing_your_code.md")]
pub mod testing_your_code {}
