package main

import (
	"strings"
	"testing"
)

const script = `client 1 1.0: 250000 cpu-clock:
	ffff copy_to_iter+0x10 ([kernel.kallsyms])
	7f00 Curl_read+0x3 (/usr/lib/libcurl.so.4)
	4000 main.main (/tmp/client)

client 1 1.1: 250000 cpu-clock:
	4000 main.main (/tmp/client)

client 1 1.2: 250000 cpu-clock:
	ffff copy_to_iter+0x20 ([kernel.kallsyms])
	7f00 Curl_read+0x9 (/usr/lib/libcurl.so.4)
	4000 main.main (/tmp/client)
`

func TestStacks_add_up(t *testing.T) {
	root, err := read(strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	main := root.callees[0]
	if root.samples != 3 || len(root.callees) != 1 || main.name != "main.main" || main.samples != 3 {
		t.Errorf("all %+v, main %+v", root, main)
	}
	if c := main.callees[0]; c.name != "Curl_read" || c.samples != 2 || c.colour() != legend[2].colour {
		t.Errorf("libcurl %+v", c)
	}
	var b strings.Builder
	draw(&b, root, "a <title>", 0)
	for _, want := range []string{"a &lt;title&gt;", "copy_to_iter ([kernel.kallsyms]): 66.7 %", `width="800.0"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
