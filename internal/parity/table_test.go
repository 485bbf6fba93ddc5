package parity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/internal/paritytable"
)

// row is a [paritytable.Row] for one of isahc's integration tests. Its group is the file, in tests/.
type row struct{ Group, Theirs, Ours, Asserts, Differs string }

var table = []row{
	{"auth.rs", "credentials_without_auth_config_does_nothing", "TestAuth_sends_nothing_without_a_scheme",
		"no Authorization header", "name and password belong to a scheme here, so one without the other cannot be written; NoAuth switches off"},
	{"auth.rs", "basic_auth_sends_authorization_header", "TestAuth_basic_sends_the_authorization_header",
		"Authorization: Basic Y2xhcms6cXVlcnR5", ""},
	{"auth.rs", "negotiate_auth_exists", "TestAuth_hands_a_negotiate_challenge_to_the_caller",
		"401 with its challenge, 1 request", "there is no SPNEGO: the challenge goes to the caller, also with AnyAuth"},
	{"auth.rs", "negotiate_on_windows_provides_a_token", "TestAuth_hands_a_negotiate_challenge_to_the_caller",
		"401 with its challenge, 1 request", "Windows alone has a token at hand"},

	{"cookies.rs", "cookie_lifecycle", "TestCookies_are_kept_and_sent_again",
		"two Set-Cookie, then one Cookie line with both; the jar has them", "in the order of RFC 6265, not by name; the jar is net/http's and the caller's"},

	{"encoding.rs", "gzip_encoded_response_is_decoded_automatically", "TestEncoding_gzip_is_asked_for_and_undone",
		"text, Accept-Encoding, length -1", ""},
	{"encoding.rs", "request_gzip_without_automatic_decompression", "TestEncoding_stays_with_decompression_off",
		"the encoded bytes, their length, the request's own Accept-Encoding", ""},
	{"encoding.rs", "deflate_encoded_response_is_decoded_automatically", "TestEncoding_deflate_is_asked_for_and_undone",
		"text, Accept-Encoding", ""},
	{"encoding.rs", "content_is_decoded_even_if_not_listed_as_accepted", "TestEncoding_is_undone_though_another_was_asked_for",
		"deflate is decoded where gzip was asked for", ""},
	{"encoding.rs", "unknown_content_encoding_returns_error", "TestEncoding_that_is_not_known_is_an_error",
		"ErrContentEncoding that names it", "not an error with decompression off"},

	{"expect.rs", "expect_header_is_sent_by_default", "TestExpect_is_sent_when_it_is_on",
		"Expect: 100-continue, and the body waits for the 100", "off by default: it costs a round trip, and a second before servers that ignore it"},
	{"expect.rs", "expect_header_is_not_sent_when_disabled", "TestExpect_is_not_sent_when_it_is_off",
		"no Expect header, for 2 MiB neither", ""},

	{"headers.rs", "accept_headers_populated_by_default", "TestHeaders_accept_is_sent_by_default",
		"Accept: */*, Accept-Encoding: gzip, deflate, br, zstd", "all four are decoded in Go, whatever libcurl has"},
	{"headers.rs", "user_agent_contains_expected_format", "TestHeaders_user_agent_names_client_and_libcurl",
		"ratmom/… libcurl/…", "the product first (RFC 9110, section 10.1.5)"},
	{"headers.rs", "setting_an_empty_header_sends_a_header_with_no_value", "TestHeaders_without_a_value_are_sent_without_a_value",
		"a header line without a value", ""},
	{"headers.rs", "setting_a_blank_header_sends_a_header_with_no_value", "TestHeaders_of_blanks_are_sent_without_a_value",
		"a header line without a value", ""},
	{"headers.rs", "override_client_default_user_agent", "TestHeaders_user_agent_of_the_client_wins_over_the_default",
		"User-Agent: foo, once", ""},
	{"headers.rs", "set_title_case_headers_to_true", "TestHeaders_are_put_in_title_case_if_asked",
		"foo-BAR is sent as Foo-Bar, and as it is without the option", ""},
	{"headers.rs", "header_can_be_inserted_in_httpclient_builder", "TestHeaders_of_the_client_are_sent_with_every_request",
		"the default header, on both requests", ""},
	{"headers.rs", "headers_in_request_builder_must_override_headers_in_httpclient_builder", "TestHeaders_of_the_request_win_over_the_clients",
		"the request's value alone", ""},
	{"headers.rs", "multiple_headers_with_same_key_can_be_inserted_in_httpclient_builder", "TestHeaders_of_the_client_with_one_name_are_all_sent",
		"both values, in order", ""},
	{"headers.rs", "headers_in_request_builder_must_override_multiple_headers_in_httpclient_builder", "TestHeaders_of_the_request_win_over_several_of_the_clients",
		"the request's value alone", ""},
	{"headers.rs", "trailer_headers", "TestHeaders_trailers_are_there_when_the_body_is_read",
		"foo: bar after the end of the body", "there is no waiting: Trailers is complete when the reader has seen EOF"},
	{"headers.rs", "trailer_headers_async", "TestHeaders_trailers_of_a_future_are_there_when_the_body_is_read",
		"the same with SendAsync", ""},
	{"headers.rs", "trailer_headers_timeout", "TestHeaders_trailers_are_not_there_while_the_body_is_unread",
		"before the end the announced name without a value", "there is no waiting that could time out"},

	{"interceptors.rs", "change_http_method_with_interceptor", "TestInterceptors_can_change_the_method",
		"a GET is a HEAD on the wire", "both kinds of interceptor"},

	{"json.rs", "deserialize_json", "TestJSON_is_decoded", "the fields", ""},
	{"json.rs", "deserialize_json_async", "TestJSON_of_a_future_is_decoded", "the same with SendAsync", ""},
	{"json.rs", "deserialize_json_async_io_error", "TestJSON_that_breaks_off_is_an_error_of_the_body",
		"ErrTruncated, io.ErrUnexpectedEOF, not a syntax error", "the break is a real one, not a reader that fails"},

	{"methods.rs", "get_request", "TestMethods_get", "the method on the wire, no body", ""},
	{"methods.rs", "head_request", "TestMethods_head", "the method on the wire, no body", ""},
	{"methods.rs", "post_request", "TestMethods_post", "the method on the wire, no body", ""},
	{"methods.rs", "put_request", "TestMethods_put", "the method on the wire, no body", ""},
	{"methods.rs", "delete_request", "TestMethods_delete", "the method on the wire, no body", ""},
	{"methods.rs", "arbitrary_foobar_request", "TestMethods_of_any_name", "FOOBAR and others on the wire, case kept", ""},

	{"metrics.rs", "metrics_are_disabled_by_default", "TestMetrics_are_off_by_default", "Metrics gives false", ""},
	{"metrics.rs", "enabling_metrics_causes_metrics_to_be_collected", "TestMetrics_count_and_time_the_transfer",
		"12 bytes up, 11 down, the times in their order", "the figures are there when the body has been read, not while it comes"},

	{"net.rs", "local_addr_returns_expected_address", "TestNet_local_address_is_our_end", "what the server sees as the remote end", ""},
	{"net.rs", "remote_addr_returns_expected_address", "TestNet_remote_address_is_the_servers_end", "the server's address", ""},
	{"net.rs", "local_and_remote_addr_returns_expected_addresses_on_error", "TestNet_errors_have_both_addresses",
		"a status line that is none: ErrProtocol with both addresses", ""},
	{"net.rs", "ipv4_only_will_not_connect_to_ipv6", "TestNet_IPv4_alone_does_not_connect_to_IPv6", "ErrConnect, no connection", ""},
	{"net.rs", "ipv6_only_will_not_connect_to_ipv4", "TestNet_IPv6_alone_does_not_connect_to_IPv4", "ErrConnect, no connection", ""},
	{"net.rs", "any_ip_version_uses_ipv4_or_ipv6", "TestNet_any_version_of_IP_takes_the_one_that_answers",
		"either answers; the family of our end is the server's", ""},

	{"proxy.rs", "no_proxy", "TestProxy_none_goes_straight_to_the_server", "the server is reached past a dead proxy", ""},
	{"proxy.rs", "http_proxy", "TestProxy_http_gets_the_absolute_form", "absolute form, Host of the server, Proxy-Connection: Keep-Alive", ""},
	{"proxy.rs", "socks4_proxy", "TestProxy_socks4_carries_the_request", "the request arrives through the proxy", ""},
	{"proxy.rs", "proxy_blacklist_works", "TestProxy_is_passed_by_for_hosts_that_are_named", "the server is reached past a dead proxy", ""},

	{"redirects.rs", "response_301_no_follow", "TestRedirects_are_the_response_if_not_followed",
		"301, EffectiveURL unchanged, 1 request", "redirects are followed by default, ten at most, as in net/http"},
	{"redirects.rs", "response_301_auto_follow", "TestRedirects_are_followed", "200, body, EffectiveURL, 1 request each", ""},
	{"redirects.rs", "headers_are_reset_every_redirect", "TestRedirects_give_the_headers_of_the_last_hop_alone", "the last hop's headers", ""},
	{"redirects.rs", "redirect_changes_post_to_get", "TestRedirects_of_a_post_become_a_get", "POST, then GET, for 301, 302, 303", ""},
	{"redirects.rs", "redirect_also_sends_post", "TestRedirects_of_a_post_stay_a_post", "POST twice, for 307, 308", ""},
	{"redirects.rs", "redirect_with_response_body", "TestRedirects_with_a_body_are_followed", "200 and the last body", ""},
	{"redirects.rs", "redirect_policy_from_client", "TestRedirects_are_followed_as_the_client_says", "200; the request's policy wins over the client's", ""},
	{"redirects.rs", "redirect_non_rewindable_body_returns_error", "TestRedirects_of_a_body_that_cannot_be_sent_again_are_an_error",
		"ErrBodyNotRewindable with the remote address", ""},
	{"redirects.rs", "redirect_limit_is_respected", "TestRedirects_are_limited", "ErrTooManyRedirects after 6 requests, with the remote address", ""},
	{"redirects.rs", "auto_referer_sets_expected_header", "TestRedirects_set_the_referer_if_asked", "none, then the URL before, without fragment and userinfo", ""},
	{"redirects.rs", "redirect_with_unencoded_utf8_bytes_in_location", "TestRedirects_to_bytes_that_are_not_ASCII_are_encoded",
		"the bytes are percent-encoded", "theirs is ignored: their server cannot send such a header"},

	{"request_body.rs", "request_with_zero_length_body", "TestRequestBody_of_length_zero_is_sent_as_such",
		"Content-Length: 0, the Content-Type, for 7 methods", ""},
	{"request_body.rs", "request_with_special_empty_body_does_not_send_a_body", "TestRequestBody_that_is_absent_is_not_sent",
		"no body, no Transfer-Encoding, for 7 methods", "POST, PUT and PATCH say Content-Length: 0, as RFC 9110, section 8.6, asks"},
	{"request_body.rs", "request_with_body_of_known_size", "TestRequestBody_of_a_known_length_is_sent_with_it",
		"Content-Length and the bytes, for 7 methods and three kinds of body", ""},
	{"request_body.rs", "request_with_body_of_unknown_size_uses_chunked_encoding_by_default", "TestRequestBody_of_an_unknown_length_is_sent_in_chunks",
		"chunks, whatever Transfer-Encoding the request has, for 7 methods", ""},
	{"request_body.rs", "content_length_header_takes_precedence_over_body_objects_length", "TestRequestBody_is_cut_to_the_content_length_header",
		"abc of abc123, for 7 methods", ""},
	{"request_body.rs", "upload_from_bad_reader_returns_error_with_original_cause", "TestRequestBody_that_fails_is_the_cause_of_the_error",
		"ErrRequestBody and the reader's own error", ""},
	{"request_body.rs", "upload_from_bad_async_reader_returns_error_with_original_cause", "TestRequestBody_of_a_future_that_fails_is_the_cause_of_the_error",
		"the same with SendAsync", ""},

	{"response_body.rs", "simple_response_body", "TestResponseBody_is_read", "the text", ""},
	{"response_body.rs", "response_body_bytes", "TestResponseBody_is_read_as_bytes", "the bytes", ""},
	{"response_body.rs", "response_body_bytes_async", "TestResponseBody_of_a_future_is_read_as_bytes", "the same with SendAsync", ""},
	{"response_body.rs", "zero_length_response_body", "TestResponseBody_of_length_zero_ends_at_once", "length 0, no bytes", ""},
	{"response_body.rs", "large_response_body", "TestResponseBody_that_is_large_is_whole", "13,000 bytes", ""},
	{"response_body.rs", "response_body_with_content_length_knows_its_size", "TestResponseBody_with_a_length_knows_it", "length 11", ""},
	{"response_body.rs", "response_body_with_chunked_encoding_has_unknown_size", "TestResponseBody_in_chunks_does_not_know_its_length", "length -1", ""},
	{"response_body.rs", "head_request_with_content_length_response_returns_empty_body", "TestResponseBody_of_HEAD_is_empty_whatever_length_it_has",
		"no bytes; the connection is used again", ""},
	{"response_body.rs", "dropping_client_does_not_abort_response_transfer", "TestResponseBody_outlives_who_drops_the_client",
		"6 MiB whole after the client was collected", "Close is explicit and does end what is open"},
	{"response_body.rs", "reading_from_response_body_after_eof_continues_to_return_eof", "TestResponseBody_says_EOF_again_and_again", "io.EOF three times", ""},
	{"response_body.rs", "consume_unread_response_body", "TestResponseBody_can_be_discarded", "the connection is used again", ""},
	{"response_body.rs", "consume_unread_response_body_async", "TestResponseBody_of_a_future_can_be_discarded", "the same with SendAsync", ""},

	{"status.rs", "returns_correct_response_code", "TestStatus_is_the_servers", "the 13 codes and 3 more with their reasons, 1 request each", ""},

	{"timeouts.rs", "request_errors_if_read_timeout_is_reached", "TestTimeouts_end_a_request_to_a_slow_server",
		"ErrTimeout at its time, by option, context and head limit", ""},
	{"timeouts.rs", "timeout_during_response_body_produces_error", "TestTimeouts_in_the_body_are_not_its_end",
		"ErrTimeout from Read after the bytes that came, not EOF", ""},

	{"tls.rs", "accept_expired_cert", "TestTLS_expired_certificate_is_accepted_if_invalid_ones_are",
		"refused, then accepted", "a local authority in place of badssl.com, here and below"},
	{"tls.rs", "accepting_invalid_certs_alone_does_not_allow_invalid_hosts", "TestTLS_accepting_invalid_certificates_does_not_accept_other_hosts",
		"ErrCertificateVerification", ""},
	{"tls.rs", "accept_cert_with_wrong_host", "TestTLS_certificate_for_another_host_is_accepted_if_asked", "refused, then accepted", ""},
	{"tls.rs", "accepting_certs_with_wrong_host_alone_does_not_allow_invalid_certs", "TestTLS_accepting_other_hosts_does_not_accept_invalid_certificates",
		"ErrCertificateVerification", ""},
	{"tls.rs", "tls_less_than_min_version_is_rejected", "TestTLS_below_the_least_version_is_refused", "ErrTLS", "theirs is a failed connection: the handshake is told apart here"},
	{"tls.rs", "trust_webpki_roots", "TestTLS_trusts_the_authorities_of_the_system",
		"the system's store decides, as SSL_CERT_FILE names it", "no list of authorities is built in: the system's is kept up to date"},

	{"unix.rs", "send_request_to_unix_socket", "TestUnix_socket_carries_the_request", "the reply of a socket, and nginx's", ""},
}

// How many tests each of isahc's files has.
var theirFiles = map[string]int{
	"auth.rs": 4, "cookies.rs": 1, "encoding.rs": 5, "expect.rs": 2, "headers.rs": 13, "interceptors.rs": 1, "json.rs": 3,
	"methods.rs": 6, "metrics.rs": 2, "net.rs": 6, "proxy.rs": 4, "redirects.rs": 11, "request_body.rs": 7,
	"response_body.rs": 12, "status.rs": 1, "timeouts.rs": 2, "tls.rs": 6, "unix.rs": 1,
}

func TestTable_names_a_test_for_each_of_the_87(t *testing.T) {
	tests := paritytable.Find(t, here)
	assert.Len(t, table, 87)
	paritytable.Check(t, table, theirFiles, tests)
	for _, r := range table {
		assert.Equal(t, strings.TrimSuffix(r.Group, ".rs")+"_test.go", tests[r.Ours], "where is %s for %s?", r.Ours, r.Theirs)
	}
}

// here is where the tests of the tables are.
var here = map[string]string{"": "."}
