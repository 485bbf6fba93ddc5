package main

import (
	"reflect"
	"testing"
)

func TestMicros_reads_what_wrk_and_h2load_write(t *testing.T) {
	const said = `Running 2s test @ http://127.0.0.1:80/small
  Latency Distribution
     50%  640.00us
     75%    1.10ms
     90%    2.30ms
     99%    4.00s
  80117 requests in 2.05s, 14.97MB read
`
	for _, c := range []struct {
		got, want any
	}{
		{micros(found(wrkP50, said)), 640.0},
		{micros(found(wrkP99, said)), 4e6},
		{micros(found(wrkP99, "nothing")), 0.0},
		{wrkDone.FindStringSubmatch(said)[1:], []string{"80117", "2.05", "s"}},
		{wrkDone.FindStringSubmatch("7 requests in 1.00m, 14.97MB read")[1:], []string{"7", "1.00", "m"}},
		{wrkTrouble.FindString(said), ""},
		{wrkTrouble.FindString("  Non-2xx or 3xx responses: 12\n"), "Non-2xx or 3xx responses: 12"},
		{h2loadDone.FindStringSubmatch("finished in 814.03ms, 1228.45 req/s, 58.42KB/s")[1:], []string{"814.03", "ms"}},
		{
			h2loadCount.FindStringSubmatch("requests: 100 total, 100 started, 100 done, 99 succeeded, 1 failed")[1:],
			[]string{"100", "100", "99"},
		},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}

func TestRows_of_clients_need_no_tools(t *testing.T) {
	if needs := (work{}).needs(); len(needs) > 0 {
		t.Errorf("%q", needs)
	}
}
