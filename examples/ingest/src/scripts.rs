//! Scripts that Redis executes atomically: nobody else writes while a script runs.
//!
//! Because of the braces, all keys of a feed are in the same slot of a cluster.

/// The keys of the feed that is written to the stream `stream`.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) stream: String,
    /// The leader, as `TOKEN NAME`. It expires.
    pub(crate) lease: String,
    /// The highest token that was ever given out. It never expires.
    pub(crate) token: String,
    /// The last event ID.
    pub(crate) cursor: String,
}

impl Keys {
    pub(crate) fn new(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            lease: format!("{{{stream}}}:lease"),
            token: format!("{{{stream}}}:token"),
            cursor: format!("{{{stream}}}:cursor"),
        }
    }
}

/// Takes the lease if nobody holds it, and returns `{token, last event ID}`. Otherwise returns
/// `{0, ms left}`.
///
/// Keys: lease, token, cursor. Arguments: name, ms.
pub(crate) const ACQUIRE: &str = "
local left = redis.call('PTTL', KEYS[1])
if left ~= -2 then
    return {0, tostring(left)}
end
local token = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
return {token, redis.call('GET', KEYS[3]) or ''}
";

/// If no higher token was given out, appends events, moves the cursor, renews the lease, and returns 1.
/// Otherwise it does nothing, and returns 0.
///
/// Keys: lease, token, cursor, stream. Arguments: token, name, ms, last event ID, then id, type
/// and data of each event.
pub(crate) const STORE: &str = "
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
    return 0
end
for i = 5, #ARGV, 3 do
    redis.call('XADD', KEYS[4], '*', 'id', ARGV[i], 'type', ARGV[i + 1], 'data', ARGV[i + 2])
end
redis.call('SET', KEYS[3], ARGV[4])
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
";

/// Releases the lease, if this process still holds it.
///
/// Keys: lease, token. Arguments: token.
pub(crate) const RELEASE: &str = "
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
return 0
";

/// Acknowledges an entry and performs its effect, which here appends its data to a list. Does nothing
/// for an entry that was acknowledged before by any consumer.
///
/// Keys: stream, list. Arguments: group, entry, data.
pub(crate) const HANDLE: &str = "
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then
    return 0
end
redis.call('RPUSH', KEYS[2], ARGV[3])
return 1
";
