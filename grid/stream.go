package grid

// A Stream is a two-way stream, made of channels.
type Stream struct {
	// Responses from the remote server. The channel is closed after an error or
	// when the remote closes. All responses must be read by the caller until
	// either an error is returned or the channel is closed. Canceling the context
	// causes its error to be returned, in place of a response if the channel is full.
	Responses <-chan Response

	// Requests sent to the server. It is nil if the handler is defined with an
	// incoming capacity of 0. The channel must be closed to signal the end of the
	// requests. After the stream has ended what is sent to it is dropped; after
	// the context is canceled nothing is taken from it any more.
	Requests chan<- []byte
}

// Response is a message of a [Stream], or the error that ends it.
type Response struct {
	Msg []byte // nil if there is an error; it is the reader's
	Err error  // an [*Error], after which nothing comes
}
