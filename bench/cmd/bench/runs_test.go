package main

import "testing"

func TestVerdicts_compare_with_another_peer_or_with_a_number(t *testing.T) {
	of := func(p peer, v ...float64) runs {
		r := runs{peer: p}
		for _, x := range v {
			s := sample{}
			s.P99 = x
			r.samples = append(r.samples, s)
		}
		return r
	}
	r := row{metric: tail99, bounds: []bound{
		{to: grpcRaw.name, limit: 0.5},
		{limit: 20},
		{limit: 19},
		{limit: 1, peer: ratmomTyped.name}, // not of this one
		{to: rawTCP.name, limit: 1},        // who was not measured
	}}
	got := r.verdicts([]runs{of(ratmomGrid, 10, 20, 30), of(grpcRaw, 40, 40, 40)})
	want := []struct {
		ratio  float64
		missed bool
	}{{0.5, false}, {20, false}, {20, true}, {20, false}}
	if len(got) != len(want) {
		t.Fatalf("%d verdicts, want %d", len(got), len(want))
	}
	for i, w := range want {
		if got[i].ratio != w.ratio || got[i].missed != w.missed {
			t.Errorf("verdict %d: %v, missed %v", i, got[i].ratio, got[i].missed)
		}
	}
}
