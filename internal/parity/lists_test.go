package parity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/internal/paritytable"
)

// holes is what isahc's tests leave out, and the tests here that look at it.
var holes = []struct{ hole, tests string }{
	{"concurrency", "TestHole_many_requests_at_once"},
	{"connection reuse", "TestHole_connections_are_used_again"},
	{"limits", "TestHole_connections_are_limited"},
	{"cache size 0", "TestHole_a_cache_of_size_0_keeps_no_connection"},
	{"DNS map and cache", "TestHole_names_are_mapped"},
	{"interface", "TestHole_connections_leave_from_the_address_or_interface_asked_for"},
	{"keep-alive", "TestHole_keep_alive_probes_are_the_systems"},
	{"speed limits", "TestHole_speeds_are_limited"},
	{"low speed", "TestHole_a_slow_server_is_given_up"},
	{"HTTP/2 at all", "TestHole_HTTP2_is_spoken"},
	{"Digest", "TestHole_digest_answers_a_challenge"},
	{"proxy authentication", "TestHole_proxies_of_all_kinds"},
	{"https and socks5 proxies", "TestHole_proxies_of_all_kinds"},
	{"client certificates", "TestHole_client_certificates"},
	{"trust stores", "TestHole_trust_is_in_whom_it_is_put TestTLS_trusts_the_authorities_of_the_system"},
	{"cross-origin scrub", "TestFix_redirect_to_another_origin_drops_what_is_for_the_first"},
	{"303 with a body", "TestFix_redirect_that_becomes_a_GET_drops_the_body_and_its_headers"},
	{"redirect and cookies", "TestHole_redirects_carry_cookies"},
	{"redirect and timeout", "TestFix_redirect_hops_share_one_deadline"},
	{"cancel before the head", "TestFix_cancel_ends_a_request_to_a_silent_server"},
	{"a dropped body ends the transfer", "TestFix_cancel_ends_a_body_that_does_not_come TestFix_cancel_ends_a_body_that_is_paused"},
	{"back-pressure", "TestHole_a_slow_reader_bounds_memory TestHole_a_slow_reader_does_not_stop_the_others TestHole_dropping_slow_bodies_does_not_spoil_the_others"},
	{"early response", "TestFix_early_response_does_not_cut_the_upload"},
	{"latency of events", "TestHole_events_are_read_as_they_come TestFix_the_future_completes_at_the_end_of_the_head"},
	{"agent failure", "TestFix_one_failure_does_not_end_the_agent TestFix_a_client_that_is_dropped_ends"},
	{"close with requests under way", "TestFix_Close_ends_what_runs"},
	{"charsets", "TestHole_text_is_decoded_by_its_charset"},
	{"order of interceptors", "TestHole_interceptors_run_in_order_once_per_hop"},
	{"table of error codes", "TestFix_every_CURLcode_has_a_kind"},
	{"trailers of an empty body", "TestHole_trailers_behind_no_body_are_trailers"},
	{"large uploads", "TestHole_uploads_of_many_megabytes_arrive_whole"},
	{"hostile headers", "TestFix_odd_heads_do_not_fail_the_request TestFix_a_huge_length_is_not_believed TestFix_a_huge_Max_Age_does_no_harm"},
	{"leaks", "TestHole_a_client_leaves_nothing_behind TestMain"}, // TestMain looks after all tests
}

// fixes is what isahc does and this client does not, on purpose.
var fixes = []struct{ fix, tests string }{
	{"the future completes at the end of the head", "TestFix_the_future_completes_at_the_end_of_the_head"},
	{"cancel and Close reach the agent, whatever the server does", "TestFix_cancel_ends_a_request_to_a_silent_server TestFix_cancel_ends_a_body_that_does_not_come TestFix_cancel_ends_a_body_that_is_paused"},
	{"redirect: credentials, authentication and Host stay with their origin", "TestFix_redirect_to_another_origin_drops_what_is_for_the_first"},
	{"redirect: a switch to GET drops the body and its headers", "TestFix_redirect_that_becomes_a_GET_drops_the_body_and_its_headers"},
	{"redirect: HEAD stays HEAD", "TestFix_redirect_keeps_HEAD"},
	{"redirect: a body in memory is sent again", "TestFix_redirect_that_stays_a_POST_sends_the_body_again"},
	{"redirect: one deadline", "TestFix_redirect_hops_share_one_deadline"},
	{"redirect: a small body is drained and the connection used again", "TestFix_redirect_drains_a_small_body_and_uses_the_connection_again"},
	{"redirect: http and https only", "TestFix_redirect_goes_to_http_and_https_alone"},
	{"redirect: the five statuses only", "TestFix_redirect_follows_the_five_statuses_alone"},
	{"proxy TLS is verified by default", "TestFix_proxy_TLS_is_verified_by_default"},
	{"an early response does not cut the upload", "TestFix_early_response_does_not_cut_the_upload"},
	{"user code does not run on the agent", "TestFix_user_code_that_blocks_does_not_stop_other_requests"},
	{"one request's failure does not end the agent", "TestFix_one_failure_does_not_end_the_agent"},
	{"Close is explicit and idempotent, and safe in user code", "TestFix_Close_may_be_called_again_and_from_anywhere TestFix_Close_ends_what_runs TestFix_Close_is_safe_inside_the_users_code"},
	{"a client that is dropped ends, but not under an open body", "TestFix_a_client_that_is_dropped_ends TestFix_an_open_body_keeps_a_dropped_client"},
	{"requests are told apart for ever", "TestFix_a_late_word_never_reaches_another_request"},
	{"the pauses of both directions are kept apart", "TestFix_pauses_of_the_two_directions_do_not_lift_each_other"},
	{"durations round up, negative ones are refused", "TestFix_durations_round_up_and_never_become_off TestFix_negative_durations_are_refused"},
	{"caps", "TestFix_a_hostile_head_costs_bounded_memory TestFix_a_huge_length_is_not_believed TestFix_a_huge_Max_Age_does_no_harm TestFix_redirects_stop_at_ten"},
	{"header values are bytes", "TestFix_header_values_are_bytes"},
	{"continuation lines and odd names", "TestFix_odd_heads_do_not_fail_the_request"},
	{"CR, LF and NUL are refused", "TestFix_what_would_break_a_request_is_refused_before_it_is_sent"},
	{"secrets are masked", "TestFix_secrets_are_masked_in_logs_and_errors"},
	{"every CURLcode has a kind", "TestFix_every_CURLcode_has_a_kind"},
	{"a handle that is used again goes where it is told", "TestFix_a_handle_goes_where_each_request_says"},
	{"a request waits for no other's response", "TestFix_requests_beside_a_silent_one_on_a_new_connection_do_not_wait_for_it TestFix_a_second_round_beside_a_silent_request_does_not_wait_for_it"},
	{"an idle agent looks after its connections", "TestFix_an_idle_agent_closes_what_the_server_has_closed TestFix_an_unsolicited_answer_goes_to_nobody"},
}

func TestLists_name_tests_that_exist(t *testing.T) {
	tests := paritytable.Find(t, here)
	named := map[string]bool{}
	check := func(what, names string) {
		tests.Want(t, what, names)
		for name := range strings.FieldsSeq(names) {
			named[name] = true
		}
	}
	for _, h := range holes {
		check(h.hole, h.tests)
	}
	for _, f := range fixes {
		check(f.fix, f.tests)
	}
	for name := range tests {
		if strings.HasPrefix(name, "TestHole_") || strings.HasPrefix(name, "TestFix_") {
			assert.True(t, named[name], "%s is in no list", name)
		}
	}
}
