package resolve

import (
	"errors"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxChain is how many aliases lead from a name to its records at most.
const maxChain = 8

// set is the records of a question, with the name at the end of its aliases.
type set struct {
	owner   string
	records []record
	ttl     time.Duration
	server  string
}

// follow asks the question, and follows aliases to the records: within the reply,
// as a resolver gives them, and with further questions where it does not.
func (l *lookup) follow(q question) (set, error) {
	s := set{owner: q.name, ttl: maxTTL}
	seen := map[string]bool{q.name: true}
	for {
		r, server, err := l.ask(question{s.owner, q.typ})
		if err != nil {
			return set{}, err
		}
		s.server = server
		fail := func(k Kind, ttl time.Duration, cause error) (set, error) {
			return set{}, &Error{Kind: k, Name: s.owner, Type: q.typeName(), Server: server, TTL: ttl, Err: cause}
		}
		moved := false
		for {
			if s.take(r, q.typ) {
				return s, nil
			}
			alias, ok := r.alias(s.owner)
			if !ok {
				break
			}
			switch {
			case alias.target == "" || alias.target == root:
				return fail(Malformed, 0, errors.New("CNAME of what is no host name"))
			case seen[alias.target]:
				return fail(Malformed, 0, errors.New("CNAME in a circle"))
			case len(seen) > maxChain:
				return fail(Malformed, 0, errors.New("CNAME chain too long"))
			}
			seen[alias.target] = true
			s.owner, s.ttl, moved = alias.target, min(s.ttl, alias.ttl), true
		}
		switch {
		case r.rcode == dnsmessage.RCodeNameError:
			return fail(NotExist, min(s.ttl, r.negativeTTL), nil)
		case !moved || r.no:
			return fail(NoData, min(s.ttl, r.negativeTTL), nil)
		}
	}
}

// take takes the records of the type and of the owner that has been reached.
func (s *set) take(r reply, typ dnsmessage.Type) bool {
	for _, rec := range r.records {
		if rec.typ == typ && rec.owner == s.owner {
			s.records = append(s.records, rec)
			s.ttl = min(s.ttl, rec.ttl)
		}
	}
	return len(s.records) > 0
}

func (r reply) alias(owner string) (record, bool) {
	for _, rec := range r.records {
		if rec.typ == dnsmessage.TypeCNAME && rec.owner == owner {
			return rec, true
		}
	}
	return record{}, false
}
