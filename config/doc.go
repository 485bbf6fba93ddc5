// Package config holds the options of clients and requests: what they are
// called, what values they take, and what each means to libcurl.
//
// # Three kinds of options
//
// An [Option] can be given to a client, where it is the default of all its
// requests, and to a single request, where it wins over the client's. A
// [ClientOption] concerns the client as a whole (its connections, its agents) and
// does not compile as the option of a request. A [RequestOption] makes sense for
// one request only.
//
// An option that was not given is unset, which is not the same as zero:
// Timeout(0) with a request switches off the client's time limit, and no Timeout
// leaves it as it is. Of several options for the same thing the last one counts,
// unless its documentation says that they add up.
//
// # Values
//
// Every value is checked when the client is made or the request is sent, before
// anything goes over the network; a bad one gives an [*Error] that names the
// option and the value. Durations are rounded up to the unit that libcurl has,
// so that a short one never becomes 0, and may not be negative. Strings may not
// hold control characters. An option that needs something this libcurl was built
// without, or is too old for, gives an Error that says what is missing;
// errors.Is(err, errors.ErrUnsupported) finds it.
//
// Options print as their name and value, secrets masked.
//
// # Adding an option
//
// An option is one small file: a type that holds the value (a setting), its
// validate method, the method that packs it for libcurl, the function that makes
// the option, and the accessor if Go code needs the value. Nothing else has to
// know about it, except the table of samples in samples_test.go, whose test
// fails for a setting without one.
package config
