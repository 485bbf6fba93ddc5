package certs

import "time"

// Status is what a store serves for one of Config.Files.
type Status struct {
	Files               Files
	Names               []string // the host names in the certificate
	Serial              string   // its serial number, in hexadecimal digits
	NotBefore, NotAfter time.Time
	Loaded              time.Time // when it was taken
	// Stapled says whether an answer of OCSP goes with it now, StapledUntil how long:
	// zero is for ever.
	Stapled      bool
	StapledUntil time.Time
	// Err is why the files that are there now are not served, or the answer of OCSP is
	// not; nil when all is well.
	Err error
}

// Status says of each of Config.Files, in their order, what is served.
func (s *Store) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	all := make([]Status, len(s.slots))
	for i, k := range s.slots {
		leaf := k.bare.Leaf
		all[i] = Status{
			Files: s.config.Files[i], Names: append([]string(nil), leaf.DNSNames...), Serial: leaf.SerialNumber.Text(16),
			NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Loaded: k.loaded,
			Stapled: k.at(now) == k.stapled, StapledUntil: k.until, Err: k.err,
		}
	}
	return all
}

// Expires is when the first of the certificates that are served ends.
func (s *Store) Expires() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.slots[0].bare.Leaf.NotAfter
	for _, k := range s.slots[1:] {
		if end := k.bare.Leaf.NotAfter; end.Before(first) {
			first = end
		}
	}
	return first
}
