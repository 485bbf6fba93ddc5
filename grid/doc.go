// Package grid carries many calls and streams between two servers over one
// WebSocket.
//
// Every server makes a [Manager] that knows its own name and those of the
// others, registers handlers on it, and mounts [Manager.Handler] on its HTTP
// server. [Manager.Connection] is the way to another server. There is one
// connection between two servers, whoever dials it, and both sides issue and
// serve requests on it. Which side dials follows from the two names.
//
// # Requests
//
// A single request is bytes to bytes: [Connection.Request] and, with pooled
// results, [Connection.Do]. A streaming request has an initial payload and
// messages in one or both directions: [Connection.OpenStream], and
// [Connection.NewStream] with channels in its place.
//
// A deadline travels with the request as the time that remains, and a cancelled
// request is cancelled on the other side too. Handlers are not versioned: a new
// meaning is a new [HandlerID].
//
// # When a connection is lost
//
// All that runs on a connection ends with it, with an error that is
// [ErrDisconnected]. The error says whether the request may have been executed
// ([Error.Sent]). What was reported [NotSent] is never executed, and nothing is
// ever sent twice. The connection is made again by itself.
package grid
