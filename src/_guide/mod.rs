//! The guide: how to do common tasks. Its code is tested.
//!
//! # One answer
//!
//! * [One answer](one_answer): send a request to an LLM once, and stream the answer until it is complete
//! * [Typed answers](typed_answers): events as values of your own types
//! * [Time limits](time_limits): the limits that exist, and which to set
//! * [Retries and money](retries_and_money): what is never repeated, and when you may repeat it
//!
//! # Providers
//!
//! * [OpenAI Chat](openai_chat), and APIs compatible with it
//! * [OpenAI Responses](openai_responses), and how to resume a response
//! * [Anthropic](anthropic)
//! * [Gemini](gemini)
//! * [Azure, LiteLLM, OpenRouter and other gateways](gateways): what each of them changes in the stream
//! * [MCP](mcp): a call whose answer takes several connections
//!
//! # Feeds
//!
//! * [Feeds](feeds): streams that reconnect, and how to observe it
//! * [Resuming after a restart](resuming): what to store, and when
//! * [Tokens that expire](tokens_that_expire): a new request for each connection
//! * [Many feeds](many_feeds): one client for all, and HTTP/2's limit on streams
//! * [Many machines](many_machines): a lease, a fencing token, and one atomic step
//! * [Sleeping laptops](sleeping_laptops): reconnecting after the computer wakes up
//!
//! # The network
//!
//! * [Proxies and buffering](proxies_and_buffering): nginx, Caddy, Cloudflare, `HTTP_PROXY`
//! * [Certificates](certificates): your own certificate authority, and client certificates
//! * [Redirects and keys](redirects_and_keys): who follows redirects, and which headers are sent
//! * [Stale connections](stale_connections): why the first request after a pause fails
//! * [Unix sockets](unix_sockets), and everything else that Tokio can read
//!
//! # Testing, servers and other platforms
//!
#![cfg_attr(
    feature = "testing",
    doc = "* [Testing your code](testing_your_code): the scripted server and connector"
)]
#![cfg_attr(
    not(feature = "testing"),
    doc = "* Testing your code: this page needs the feature `testing`"
)]
//! * [Writing a server](writing_a_server)
//! * [Writing a connector](writing_a_connector): hyper, tower, middleware
//! * [In a browser](in_a_browser): WebAssembly, over `fetch`
//! * [The standard](the_standard), and where this crate departs from it
//!
//! # Moving from another crate
//!
//! * [reqwest-eventsource](from_reqwest_eventsource)
//! * [eventsource-client](from_eventsource_client)
//! * [eventsource-stream](from_eventsource_stream)
//! * [sse-stream](from_sse_stream)
//! * [async-openai](from_async_openai), and similar client libraries
//! * [rmcp](from_rmcp), and other MCP clients
//! * [Your own parser](from_your_own_parser)
//!
//! The code uses Tokio and reqwest 0.13. Where it connects to a server, hidden lines have started
//! one with the feature `testing`, which you can also use in your own tests.

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
    from_async_openai
    from_eventsource_client
    from_eventsource_stream
    from_reqwest_eventsource
    from_rmcp
    from_sse_stream
    from_your_own_parser
    gateways
    gemini
    in_a_browser
    many_feeds
    many_machines
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
