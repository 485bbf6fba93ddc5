// Package body has the two kinds of bodies: those that requests send, and the streams
// that responses are read from.
//
// A request's body is a [Content]: JSON, Form, Multipart, File and so on know their type
// and length, and can be sent again where that is possible. [Content.Attach] gives it to
// a request, and ratmom.NewRequest does both at once:
//
//	req, err := ratmom.NewRequest(ctx, "POST", url, body.JSON(v))
//
// Requests of net/http's making may have bodies of [Bytes], [String] and [Reader], which
// carry their length.
//
// [NewDecoder] undoes compression and [NewTextReader] character sets, as responses do by
// themselves. [Stream], [Source], [Meter] and [Feeder] join bodies to the running
// transfer; programs have no use for them.
package body
