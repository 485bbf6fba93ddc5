package certs

import (
	"crypto/tls"
	"strings"
)

// names finds certificates by name. It never changes.
type names struct {
	all    []*pair
	byName map[string][]*pair // in lower case; "*.example.org" as it stands in certificates
}

func index(slots []slot) *names {
	n := &names{byName: map[string][]*pair{}}
	for _, k := range slots {
		n.all = append(n.all, k.pair)
		for _, name := range k.bare.Leaf.DNSNames {
			name = strings.ToLower(name)
			n.byName[name] = append(n.byName[name], k.pair)
		}
	}
	return n
}

// find gives the pair for a client, nil if it is to be refused.
func (n *names) find(hello *tls.ClientHelloInfo, strict bool) *pair {
	if hello.ServerName == "" {
		return usable(n.all, hello)
	}
	name := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	found := n.byName[name]
	if found == nil {
		// A wildcard stands for one label.
		if _, parent, ok := strings.Cut(name, "."); ok {
			found = n.byName["*."+parent]
		}
	}
	switch {
	case found != nil:
		return usable(found, hello)
	case strict:
		return nil
	}
	return usable(n.all, hello)
}

// usable gives the first that the client can use, else the first. Which of the names it
// has does not matter here.
func usable(pairs []*pair, hello *tls.ClientHelloInfo) *pair {
	anyName := *hello
	anyName.ServerName = ""
	for _, p := range pairs {
		if anyName.SupportsCertificate(p.bare) == nil {
			return p
		}
	}
	return pairs[0]
}
