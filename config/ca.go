package config

import (
	"fmt"
	"os"
	"sync"

	"github.com/ratmom/ratmom/cgo"
)

// SystemCA trusts the certificate authorities of the system: the file in the
// environment variable SSL_CERT_FILE or the directory in SSL_CERT_DIR, else where
// libcurl was built to look. Where there is a file with all of them the directory
// is left out, since libcurl keeps a file's content between connections (for a
// day) and must read it for each with a directory: 25 ms.
//
// This is the default. CURLOPT_CAINFO, CURLOPT_CAPATH, and their PROXY_ twins.
func SystemCA() Option { return both(trust{system: true}) }

// CAFile trusts the certificate authorities in the PEM file at path, and no
// others, for servers and https proxies. The file is looked at when the option is
// applied, and read by libcurl when it connects, at most once a day.
//
// Default: [SystemCA]. CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO.
func CAFile(path string) Option { return both(trust{file: path}) }

// CADirectory trusts the certificate authorities in the PEM files of a directory, and no
// others, for servers and https proxies. OpenSSL finds them by name, as "openssl rehash"
// links them. They are read for every connection.
//
// Not every TLS library of libcurl can. Default: [SystemCA]. CURLOPT_CAPATH,
// CURLOPT_PROXY_CAPATH.
func CADirectory(path string) Option { return both(trust{dir: path, isDir: true}) }

// CABytes trusts the certificate authorities in pem, and no others, for servers
// and https proxies. The bytes are copied for every https request and parsed for
// every connection: write a bundle of hundreds to a file, for [CAFile].
//
// Not every TLS library of libcurl can; GnuTLS cannot before libcurl 8.18.
// CURLOPT_CAINFO_BLOB, CURLOPT_PROXY_CAINFO_BLOB.
func CABytes(pem []byte) Option { return both(trust{pem: append([]byte{}, pem...)}) }

// trust is one of the four.
type trust struct {
	system bool
	file   string
	dir    string
	isDir  bool
	pem    []byte
}

func (s trust) String() string {
	switch {
	case s.system:
		return "system"
	case s.pem != nil:
		return fmt.Sprintf("%d bytes", len(s.pem))
	case s.isDir:
		return s.dir
	}
	return s.file
}

func (s trust) validate() error {
	switch {
	case s.system:
		return nil
	case s.isDir:
		if err := checkText("CADirectory", s.dir); err != nil {
			return err
		}
		if err := checkDirectory(s.dir); err != nil {
			return invalid("CADirectory", s.dir, "%v", err)
		}
		return nil
	case s.pem != nil:
		if err := checkCertificates(s.pem); err != nil {
			return invalid("CABytes", s, "%v", err)
		}
		return nil
	}
	if err := checkText("CAFile", s.file); err != nil {
		return err
	}
	data, err := readFile(s.file)
	if err == nil {
		err = checkCertificates(data)
	}
	if err != nil {
		return invalid("CAFile", s.file, "%v", err)
	}
	return nil
}

func (s trust) supported(f *cgo.FeatureSet) error {
	switch {
	case s.system:
	case !f.TLS:
		return unsupported(f, "CAFile", s, "to be built with TLS")
	case s.isDir && !takesCAPath(f):
		return unsupported(f, "CADirectory", s, "a TLS library other than "+f.SSLBackend+"; CAFile works with all")
	case s.pem != nil && !takesCABlob(f):
		return unsupported(f, "CABytes", s, "a TLS library other than "+f.SSLBackend+"; CAFile works with all")
	}
	return nil
}

func takesCABlob(f *cgo.FeatureSet) bool {
	switch {
	case f.Backend("GnuTLS"):
		return f.AtLeast(8, 18, 0)
	case f.Backend("wolfSSL"):
		return f.AtLeast(8, 2, 0)
	}
	return !f.Backend("NSS")
}

// takesCAPath reports whether CURLOPT_CAPATH exists for the TLS library.
func takesCAPath(f *cgo.FeatureSet) bool {
	return isOpenSSL(f) || f.Backend("GnuTLS", "mbedTLS", "wolfSSL")
}

func (s trust) encodeTLS(o *cgo.Options) {
	s.encodeEnd(tlsEnd{o, false})
	s.encodeEnd(tlsEnd{o, true})
}

func (s trust) encodeEnd(e tlsEnd) {
	f := cgo.Features()
	file, dir := s.file, s.dir
	switch {
	case s.pem != nil:
		e.blob(optCAInfoBlob, s.pem)
	case s.system:
		if file, dir = systemTrust(); file == "" && dir == "" {
			return
		}
	}
	e.stringOrNull(optCAInfo, file)
	if takesCAPath(f) {
		e.stringOrNull(optCAPath, dir)
	}
}

var systemTrust = sync.OnceValues(func() (file, dir string) { return systemCA(os.Getenv, cgo.Features()) })

// systemCA returns the file, or else the directory, of the system's certificates;
// neither if libcurl asks the system in another way.
func systemCA(getenv func(string) string, f *cgo.FeatureSet) (file, dir string) {
	file, dir = getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR")
	if !takesCAPath(f) {
		dir = ""
	}
	if file != "" || dir != "" {
		return file, dir
	}
	if f.CAInfo != "" {
		if _, err := os.Stat(f.CAInfo); err == nil {
			return f.CAInfo, ""
		}
	}
	return "", f.CAPath
}
