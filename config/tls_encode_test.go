package config

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

func TestTLSOptions_pack_what_libcurl_is_to_do(t *testing.T) {
	f := cgo.Features()
	openssl := isOpenSSL(f)
	cases := []struct {
		has    bool
		option any
		want   []string
	}{
		{takesCAPath(f), CADirectory(files.directory), []string{
			"CURLOPT_CAINFO <nil>", "CURLOPT_CAPATH " + files.directory, "CURLOPT_PROXY_CAINFO <nil>", "CURLOPT_PROXY_CAPATH " + files.directory,
		}},
		{openssl, CACacheTimeout(time.Second + 1), []string{"CURLOPT_CA_CACHE_TIMEOUT 2"}},
		{openssl, CACacheTimeout(0), []string{"CURLOPT_CA_CACHE_TIMEOUT 0"}},
		{true, CRLFile(files.crl), []string{"CURLOPT_CRLFILE " + files.crl}},
		{true, CRLFile(""), nil},
		{true, IssuerCertificate(files.ca), []string{"CURLOPT_ISSUERCERT " + files.ca}},
		{openssl, IssuerCertificateBytes(files.caPEM), []string{fmt.Sprintf("CURLOPT_ISSUERCERT_BLOB %v", files.caPEM)}},
		{true, IssuerCertificateBytes(nil), nil},
		{true, ClientCertificatePassword(secretText), []string{"CURLOPT_KEYPASSWD " + secretText}},
		{true, ClientCertificatePassword(""), nil},
		{true, ClientCertificate(files.pkcs12, ""), []string{"CURLOPT_SSLCERT " + files.pkcs12, "CURLOPT_SSLCERTTYPE P12"}},
		{true, ClientCertificate(files.certDER, files.keyDER), []string{
			"CURLOPT_SSLCERT " + files.certDER, "CURLOPT_SSLCERTTYPE DER", "CURLOPT_SSLKEY " + files.keyDER, "CURLOPT_SSLKEYTYPE DER",
		}},
		{openssl, ClientCertificate(files.certDER, files.key), []string{
			"CURLOPT_SSLCERT " + files.certDER, "CURLOPT_SSLCERTTYPE DER", "CURLOPT_SSLKEY " + files.key,
		}},
		{openssl, ClientCertificateBytes(files.pkcs12Bytes, nil), []string{
			"CURLOPT_SSLCERTTYPE P12", fmt.Sprintf("CURLOPT_SSLCERT_BLOB %v", files.pkcs12Bytes),
		}},
		{true, PinnedPublicKey(somePin, somePin), []string{"CURLOPT_PINNEDPUBLICKEY " + somePin + ";" + somePin}},
		{true, PinnedPublicKey(), nil},
		{true, TLSCiphers("HIGH", "!SHA1"), []string{"CURLOPT_SSL_CIPHER_LIST HIGH:!SHA1"}},
		{true, TLSCiphers(), nil},
		{f.TLS13Ciphers, TLS13Ciphers("A", "B"), []string{"CURLOPT_TLS13_CIPHERS A:B"}},
		{openssl, TLSCurves("X25519", "P-256"), []string{"CURLOPT_SSL_EC_CURVES X25519:P-256"}},
		{f.SignatureAlgorithms, TLSSignatureAlgorithms("a", "b"), []string{
			"CURLOPT_SSL_SESSIONID_CACHE 0", "CURLOPT_SSL_SIGNATURE_ALGORITHMS a:b",
		}},
		{true, ALPN(false), []string{"CURLOPT_SSL_ENABLE_ALPN 0"}},
		{true, ALPN(true), nil},
		{f.FalseStart, TLSFalseStart(true), []string{"CURLOPT_SSL_FALSESTART 1"}},
		{true, TLSSessionReuse(false), []string{"CURLOPT_SSL_SESSIONID_CACHE 0"}},
		{true, TLSSessionReuse(true), nil},
		{f.OCSPStapling && openssl && f.AtLeast(8, 14, 1), OCSPStapling(true), []string{"CURLOPT_SSL_VERIFYSTATUS 1"}},
		{f.OCSPStapling && (!openssl || !f.AtLeast(8, 14, 1)), OCSPStapling(true), []string{
			"CURLOPT_SSL_SESSIONID_CACHE 0", "CURLOPT_SSL_VERIFYSTATUS 1",
		}},
		{f.ECH, ECH(ECHTry), []string{"CURLOPT_ECH true"}},
		{f.TLSSRP, TLSSRP("u", "p"), []string{"CURLOPT_TLSAUTH_PASSWORD p", "CURLOPT_TLSAUTH_USERNAME u"}},
		{openssl, PartialChain(false), []string{"CURLOPT_CA_CACHE_TIMEOUT 0", "CURLOPT_SSL_OPTIONS 4"}},
		{f.CertInfo, CertificateChain(true), []string{"CURLOPT_CERTINFO 1", "CURLOPT_SSL_SESSIONID_CACHE 0"}},
	}
	for _, c := range cases {
		if !c.has {
			continue
		}
		t.Run(fmt.Sprint(c.option), func(t *testing.T) {
			assert.Equal(t, c.want, added(t, c.option, testURLs[1]))
			assert.Empty(t, added(t, c.option, testURLs[0]), "over http")
		})
	}
}

func TestEncoding_ECH_without_a_libcurl_that_can(t *testing.T) {
	var o cgo.Options
	for _, m := range []ECHMode{ECHOff, ECHGrease, ECHHard} {
		ech{m}.encodeTLS(&o)
	}
	tlsFalseStart(true).encodeTLS(&o)
	var got []any
	for r := range o.Records() {
		got = append(got, r.Value)
	}
	assert.Equal(t, []any{"grease", "hard", int64(1)}, got)
	assert.Equal(t, "ECHMode(7)", ECHMode(7).String())
}

// viaProxy is what is packed for a request of u through an https proxy.
func viaProxy(t *testing.T, u string, opts ...any) []string {
	t.Helper()
	return records(t, client(t, append([]any{Proxy("https://p")}, opts...)...).Defaults(), u)
}

func TestProxyTLS_packs_the_twins(t *testing.T) {
	f := cgo.Features()
	if !f.HTTPSProxy {
		t.Skip("libcurl without https proxies")
	}
	openssl := isOpenSSL(f)
	for _, c := range []struct {
		has    bool
		option Option
	}{
		{true, CAFile(files.ca)},
		{takesCAPath(f), CADirectory("/")},
		{true, CRLFile(files.crl)},
		{true, IssuerCertificate(files.ca)},
		{openssl, IssuerCertificateBytes(files.caPEM)},
		{true, ClientCertificate(files.cert, files.key)},
		{openssl, ClientCertificateBytes(files.certPEM, files.keyPEM)},
		{true, ClientCertificate(files.pkcs12, "")},
		{true, ClientCertificate(files.certDER, files.keyDER)},
		{true, ClientCertificatePassword(secretText)},
		{true, PinnedPublicKey(somePin)},
		{true, TLSCiphers("A")},
		{f.TLS13Ciphers, TLS13Ciphers("B")},
		{f.TLSSRP, TLSSRP("u", "p")},
		{openssl, PartialChain(false)},
		{true, DangerAcceptInvalidCertificates(true)},
		{true, DangerAcceptInvalidHostnames(true)},
	} {
		if !c.has {
			continue
		}
		t.Run(fmt.Sprint(c.option), func(t *testing.T) {
			var server, proxy cgo.Options
			s := settings{}
			require.NoError(t, s.put(settingOf(c.option)))
			s[0].(tlsEndEncoder).encodeEnd(tlsEnd{&server, false})
			s[0].(tlsEndEncoder).encodeEnd(tlsEnd{&proxy, true})
			var want []string
			for r := range server.Records() {
				want = append(want, strings.Replace(fmt.Sprintf("%v %v", r.Opt, r.Value), "CURLOPT_", "CURLOPT_PROXY_", 1))
			}
			require.NotEmpty(t, want)
			assert.Subset(t, viaProxy(t, testURLs[0], ProxyTLS(c.option)), want)
		})
	}
}

func TestProxyTLS_is_laid_over_what_holds_for_servers(t *testing.T) {
	f := cgo.Features()
	if !f.HTTPSProxy {
		t.Skip("libcurl without https proxies")
	}
	got := viaProxy(t, testURLs[1], CAFile(files.ca), ProxyTLS(CAFile(files.both), TLSMaxVersion(tls.VersionTLS12)), TLSMinVersion(tls.VersionTLS12))
	assert.Subset(t, got, []string{
		"CURLOPT_CAINFO " + files.ca, "CURLOPT_PROXY_CAINFO " + files.both,
		"CURLOPT_SSLVERSION 6", "CURLOPT_PROXY_SSLVERSION 393222", // 6<<16|6
	})
	if takesCABlob(f) {
		got = viaProxy(t, testURLs[1], ProxyTLS(CAFile(files.both)), CABytes(files.caPEM))
		assert.Subset(t, got, []string{"CURLOPT_PROXY_CAINFO_BLOB <nil>", "CURLOPT_PROXY_CAINFO " + files.both})
	}
}

func TestProxyTLS_adds_up(t *testing.T) {
	if !cgo.Features().HTTPSProxy {
		t.Skip("libcurl without https proxies")
	}
	c := client(t, Proxy("https://p"), ProxyTLS(PinnedPublicKey(somePin), TLSCiphers("A")))
	r := request(t, c, ProxyTLS(TLSCiphers("B")), ProxyTLS(nil))
	want := []string{"CURLOPT_PROXY_PINNEDPUBLICKEY " + somePin, "CURLOPT_PROXY_SSL_CIPHER_LIST B"}
	assert.Subset(t, records(t, r, testURLs[1]), want)
	assert.Contains(t, records(t, c.Defaults(), testURLs[1]), "CURLOPT_PROXY_SSL_CIPHER_LIST A", "the client's are as they were")
	_, err := c.Request(ProxyTLS(ClientCertificate(files.cert, files.encryptedKey)))
	assert.ErrorContains(t, err, errEncryptedKey.Error())
}

func own(list []string) bool {
	return slices.Contains(list, "CURLOPT_FRESH_CONNECT 1") && slices.Contains(list, "CURLOPT_FORBID_REUSE 1")
}

func TestRequests_have_their_own_connection_where_libcurl_does_not_compare(t *testing.T) {
	f := cgo.Features()
	none := client(t)
	for _, c := range []struct {
		has     bool
		on, off Option
	}{
		{true, ALPN(false), ALPN(true)},
		{true, TLSSessionReuse(false), TLSSessionReuse(true)},
		{true, ClientCertificatePassword("a"), ClientCertificatePassword("")},
		{f.ECH, ECH(ECHGrease), ECH(ECHOff)},
		{f.FalseStart, TLSFalseStart(true), TLSFalseStart(false)},
		{f.HTTPSProxy, ProxyTLS(ClientCertificatePassword("a")), ProxyTLS(ClientCertificatePassword(""))},
	} {
		if !c.has {
			continue
		}
		with := client(t, c.on)
		https := testURLs[1]
		assert.True(t, own(records(t, request(t, none, c.on), https)), "%v", c.on)
		assert.False(t, own(records(t, request(t, none, c.off), https)), "%v", c.off)
		assert.False(t, own(records(t, request(t, with, c.on), https)), "%v", c.on)
		assert.True(t, own(records(t, request(t, with, c.off), https)), "%v", c.off)
		assert.False(t, own(records(t, with.Defaults(), https)))
		assert.False(t, own(records(t, request(t, none, c.on), testURLs[0])), "over http: %v", c.on)
		both := request(t, client(t, BasicAuth("u", "p")), c.on)
		assert.True(t, own(records(t, both.WithoutCredentials(), https)), "%v after a redirect", c.on)
	}
}

func TestProxyTLS_of_its_own_is_kept_apart_for_http_before_8_14_1(t *testing.T) {
	f := cgo.Features()
	if !f.HTTPSProxy {
		t.Skip("libcurl without https proxies")
	}
	c := client(t, Proxy("https://p"), ProxyTLS(TLSCiphers("A")))
	old := !f.AtLeast(8, 14, 1)
	assert.False(t, own(records(t, c.Defaults(), testURLs[0])))
	assert.False(t, own(records(t, request(t, c, ProxyTLS(TLSCiphers("A"))), testURLs[0])))
	assert.Equal(t, old, own(records(t, request(t, c, ProxyTLS(TLSCiphers("B"))), testURLs[0])))
	assert.False(t, own(records(t, request(t, c, ProxyTLS(TLSCiphers("B"))), testURLs[1])), "compared for https")
}

func TestCertificateChain_needs_a_new_connection_where_the_client_has_it_off(t *testing.T) {
	if !cgo.Features().CertInfo {
		t.Skip("libcurl that tells no certificates")
	}
	fresh := "CURLOPT_FRESH_CONNECT 1"
	got := records(t, request(t, client(t), CertificateChain(true)), testURLs[1])
	assert.Contains(t, got, fresh)
	assert.False(t, own(got), "others may use it then")
	assert.NotContains(t, records(t, request(t, client(t, CertificateChain(true)), Timeout(1)), testURLs[1]), fresh)
	assert.True(t, client(t, CertificateChain(true)).Defaults().CertificateChain())
}

func TestTLSSessions_are_not_taken_up_between_certificates_in_memory_without_verification(t *testing.T) {
	if !takesCertificateBlob(cgo.Features()) {
		t.Skip("no certificates from memory")
	}
	blob, danger := ClientCertificateBytes(files.certPEM, files.keyPEM), DangerAcceptInvalidCertificates(true)
	off := "CURLOPT_SSL_SESSIONID_CACHE 0"
	assert.Contains(t, records(t, client(t, blob, danger).Defaults(), testURLs[1]), off)
	assert.Contains(t, records(t, request(t, client(t, danger), blob), testURLs[1]), off)
	assert.NotContains(t, records(t, client(t, blob).Defaults(), testURLs[1]), off)
	assert.NotContains(t, records(t, client(t, danger).Defaults(), testURLs[1]), off)
}

func TestClientCertificateBytes_in_DER_are_handed_over_as_PEM(t *testing.T) {
	if !takesCertificateBlob(cgo.Features()) {
		t.Skip("no certificates from memory")
	}
	cert, err := os.ReadFile(files.certDER)
	require.NoError(t, err)
	key, err := os.ReadFile(files.keyDER)
	require.NoError(t, err)
	assert.Equal(t, []string{fmt.Sprintf("CURLOPT_SSLCERT_BLOB %v", files.certPEM), fmt.Sprintf("CURLOPT_SSLKEY_BLOB %v", files.keyPEM)},
		added(t, ClientCertificateBytes(cert, key), testURLs[1]))
}

func TestPassword_makes_an_encrypted_key_good_in_any_order(t *testing.T) {
	cert, password := ClientCertificate(files.cert, files.encryptedKey), ClientCertificatePassword(secretText)
	for _, opts := range [][]any{{cert, password}, {password, cert}} {
		client(t, opts...)
	}
	c := client(t, password)
	request(t, c, cert)
	_, err := c.Request(cert, ClientCertificatePassword(""))
	require.ErrorContains(t, err, "encrypted private key")
	assert.NotContains(t, err.Error(), secretText)
}

func TestClientCertificate_in_two_formats_is_refused_with_GnuTLS(t *testing.T) {
	s, err := clientCertificate{certFile: files.certDER, keyFile: files.key}.load()
	require.NoError(t, err)
	gnutls := &cgo.FeatureSet{TLS: true, SSLBackend: "GnuTLS/3.8.9"}
	assert.ErrorContains(t, s.(requirer).supported(gnutls), "certificate and key in one format")
}

func TestPins_are_made_of_keys_and_certificates_in_any_form(t *testing.T) {
	block, _ := pem.Decode(files.certPEM)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	want := pinPrefix + base64.StdEncoding.EncodeToString(sum[:])
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	for _, path := range []string{
		files.cert, files.certDER, files.both,
		write("key.der", cert.RawSubjectPublicKeyInfo),
		write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: cert.RawSubjectPublicKeyInfo})),
	} {
		got, err := pinOf(path)
		require.NoError(t, err, path)
		assert.Equal(t, want, got, path)
	}
}

func TestFormats_are_told_from_the_content(t *testing.T) {
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		return data
	}
	for _, c := range []struct {
		data []byte
		want credentialFormat
	}{
		{files.certPEM, ""},
		{append([]byte("text before\n"), files.certPEM...), ""},
		{read(files.certDER), formatDER},
		{files.pkcs12Bytes, formatPKCS12},
		{[]byte{0x30, 0x80, 2, 1, 3, 0x30, 0x80}, formatPKCS12},
		{[]byte{0x30, 0x80, 2, 1, 3}, ""},
		{[]byte{0x30, 0xff}, ""},
		{nil, ""},
		{read(files.keyDER), ""},
		{[]byte("hello"), ""},
	} {
		assert.Equal(t, c.want, certificateFormat(c.data), "% x", c.data[:min(len(c.data), 16)])
	}
	format, text := keyFormat(read(files.keyDER))
	assert.Equal(t, formatDER, format)
	assert.Equal(t, files.keyPEM, text)
}

func FuzzFormats(f *testing.F) {
	f.Add(files.certPEM)
	f.Add(files.pkcs12Bytes)
	f.Add([]byte{0x30, 0x84, 1, 2, 3, 4, 2, 1, 3, 0x30})
	f.Fuzz(func(t *testing.T, data []byte) {
		certificateFormat(data)
		format, text := keyFormat(data)
		if format == "" {
			assert.Equal(t, data, text)
		}
		_, _ = checkKey(text)
		_ = checkRevocationLists(data)
		if info, err := publicKeyInfo(data); err == nil {
			assert.NotEmpty(t, info)
		}
	})
}
