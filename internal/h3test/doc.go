// Package h3test tests HTTP/3 against the server of quic-go, in a module of its
// own so that ratmom itself does not depend on quic-go. Its tests skip where
// libcurl has no HTTP/3, as the system's own mostly has not; they run with
//
//	ci/suite.sh 8.14.1-gnutls -run HTTP3
package h3test
