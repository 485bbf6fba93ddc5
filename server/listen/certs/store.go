package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/internal/usercall"
)

// Config says which certificates there are.
type Config struct {
	// Files are the certificates. The first is for clients that ask for no name, or for
	// one that none has. Several may have the same name, as with keys of different kinds:
	// a client gets the first that it can use.
	Files []Files
	// Strict ends the handshake of a client that asks for a name which no certificate has
	// (alert unrecognized_name).
	Strict bool
	// Report, unless nil, is told by Watch of files that it could not take, once until
	// what is wrong with them changes. It is called on Watch's goroutine.
	Report func(error)
}

// Store holds certificates. Its methods may be called at any time from any goroutine.
type Store struct {
	config Config
	names  atomic.Pointer[names]

	mu    sync.Mutex
	slots []slot
}

// slot is what there is of one of Config.Files.
type slot struct {
	*pair
	sum sum   // of what is served
	err error // of the last reading
}

// Load reads the certificates. All must be good, so that a server does not begin with a
// mistake; one whose time is over, or has not come, is served all the same.
func Load(c Config) (*Store, error) {
	if len(c.Files) == 0 {
		return nil, errors.New("certs: Config.Files is empty")
	}
	c.Files = slices.Clone(c.Files)
	s := &Store{config: c, slots: make([]slot, len(c.Files))}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads all files again and begins to serve those that have changed, all in one
// moment. Where one is broken (it cannot be read, the key is another's, its time is over
// while that of the old one is not) the old one stays, and the error names it. An answer
// of OCSP that is no good is left out, or the old one kept.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	errs := make([]error, len(s.slots))
	for i := range s.slots {
		k := &s.slots[i]
		if k.err = k.reload(s.config.Files[i], now); k.err != nil {
			k.err = fmt.Errorf("certs: %s: %w", s.config.Files[i].Cert, k.err)
		}
		errs[i] = k.err
		if k.pair == nil { // the first reading
			return k.err
		}
	}
	s.names.Store(index(s.slots))
	return errors.Join(errs...)
}

func (k *slot) reload(f Files, now time.Time) error {
	read, err := f.read()
	if err != nil {
		return err
	}
	sum := read.sum()
	if k.pair != nil && sum == k.sum {
		return nil
	}
	fresh, err := parsePair(read)
	if err != nil {
		return err
	}
	same := k.pair != nil && sum[0] == k.sum[0]
	if !same && k.pair != nil && k.validAt(now) == nil {
		if err := fresh.validAt(now); err != nil {
			return err
		}
	}
	if len(read.ocsp) > 0 {
		if err = fresh.staple(read.ocsp, now); err != nil {
			if k.pair == nil {
				return err
			}
			sum[1] = [len(sum[1])]byte{} // to be read again
			if same {
				fresh = k.pair
			}
		}
	}
	k.pair, k.sum = fresh, sum
	return err
}

// Watch reads the files again in an interval, 0 for none, and at signals, until ctx is
// done. It compares contents, so that it does not matter how files are replaced; where
// certificate and key are two files that are replaced one after the other, what is
// between is an error that passes.
func (s *Store) Watch(ctx context.Context, every time.Duration, signals ...os.Signal) {
	var tick <-chan time.Time
	if every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		tick = ticker.C
	}
	var called chan os.Signal
	if len(signals) > 0 {
		called = make(chan os.Signal, 1)
		signal.Notify(called, signals...)
		defer signal.Stop(called)
	}
	reported := make([]string, len(s.config.Files))
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		case <-called:
			clear(reported) // whoever asks wants an answer
		}
		_ = s.Reload()
		for i, status := range s.Status() {
			said := ""
			if status.Err != nil {
				said = status.Err.Error()
			}
			if said != "" && said != reported[i] && s.config.Report != nil {
				usercall.Run("certs.Config.Report", func() { s.config.Report(status.Err) })
			}
			reported[i] = said
		}
	}
}

// TLSConfig gives a configuration with the store's certificates; the rest is that of base,
// which may be nil and stays as it is.
func (s *Store) TLSConfig(base *tls.Config) *tls.Config {
	c := &tls.Config{}
	if base != nil {
		c = base.Clone()
	}
	c.Certificates, c.GetCertificate = nil, s.GetCertificate
	return c
}

// GetCertificate is for tls.Config.GetCertificate.
func (s *Store) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	p := s.names.Load().find(hello, s.config.Strict)
	if p == nil {
		return nil, nil // crypto/tls makes unrecognized_name of it
	}
	return p.at(time.Now()), nil
}
