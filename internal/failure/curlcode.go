package failure

import (
	"strconv"
	"strings"
)

// FromCode returns the kind of a CURLcode; Unknown for numbers that libcurl
// does not use, or uses for protocols other than HTTP only.
func FromCode(code int) Kind {
	if code < 0 || code >= len(curlCodes) {
		return Unknown
	}
	return curlCodes[code].kind
}

// CodeName returns the name of a CURLcode as in curl/curl.h; "" for numbers
// that are not used.
func CodeName(code int) string {
	if code < 0 || code >= len(curlCodes) || curlCodes[code].name == "" {
		return ""
	}
	return "CURLE_" + curlCodes[code].name
}

func codeText(code int) string {
	if name := CodeName(code); name != "" {
		return strconv.Itoa(code) + " (" + name + ")"
	}
	return strconv.Itoa(code)
}

// Classify returns the kind of a CURLcode that came with text in the error
// buffer. libcurl has codes that stand for unlike things, which only the text
// tells apart; the texts are the same in 7.88.1 and 8.14.1 unless noted.
func Classify(code int, text string) Kind {
	for _, r := range refinements {
		if r.code == code && strings.Contains(text, r.text) {
			return r.kind
		}
	}
	return FromCode(code)
}

var refinements = []struct {
	code int
	text string
	kind Kind
}{
	// The code of a URL scheme that libcurl was built without is also the code
	// of a status line that it does not understand.
	{1, "HTTP/0.9", Protocol},
	{1, "HTTP version", Protocol},
	{1, "HTTP/1 subversion", Protocol},
	{1, "not serving HTTP/2", HTTP2},

	{7, "CONNECT tunnel failed", Proxy},
	{56, "CONNECT tunnel failed", Proxy},
	{56, "Proxy CONNECT", Proxy},
	{56, "CONNECT response too large", Proxy},
	{35, "Proxy CONNECT", Proxy},

	{56, "Too large response headers", HeadTooLarge},
	{56, "in chunked-encoding", Protocol},
	{56, "chunked-encoded", Protocol},
	{56, "chunk hex-length", Protocol},

	// TLS 1.3 servers refuse a client certificate after the handshake, when
	// libcurl is reading already.
	{56, "alert certificate required", ClientCertificate},
	{56, "alert bad certificate", ClientCertificate},
	{56, "alert unknown ca", ClientCertificate},
	{56, "alert certificate expired", ClientCertificate},
	{56, "alert certificate revoked", ClientCertificate},
	{55, "alert certificate required", ClientCertificate}, // or is about to send
	{55, "alert bad certificate", ClientCertificate},
	{55, "alert unknown ca", ClientCertificate},
	{55, "alert certificate expired", ClientCertificate},
	{55, "alert certificate revoked", ClientCertificate},
	{35, "alert certificate required", ClientCertificate},
	{35, "alert bad certificate", ClientCertificate},
	{35, "alert unknown ca", ClientCertificate},
	{35, "alert certificate expired", ClientCertificate},
	{35, "alert certificate revoked", ClientCertificate},
}

// curlCodes is the table of CURLcode, up to libcurl 8.14. Those without a name
// are retired; Unknown is for codes of other protocols, which a request of ours
// cannot get.
var curlCodes = [...]struct {
	name string
	kind Kind
}{
	0:   {"OK", Unknown},
	1:   {"UNSUPPORTED_PROTOCOL", Unsupported},
	2:   {"FAILED_INIT", Internal},
	3:   {"URL_MALFORMAT", InvalidRequest},
	4:   {"NOT_BUILT_IN", Unsupported},
	5:   {"COULDNT_RESOLVE_PROXY", NameResolution},
	6:   {"COULDNT_RESOLVE_HOST", NameResolution},
	7:   {"COULDNT_CONNECT", Connect},
	8:   {"WEIRD_SERVER_REPLY", Protocol},
	9:   {"REMOTE_ACCESS_DENIED", Unknown},
	10:  {"FTP_ACCEPT_FAILED", Unknown},
	11:  {"FTP_WEIRD_PASS_REPLY", Unknown},
	12:  {"FTP_ACCEPT_TIMEOUT", Timeout},
	13:  {"FTP_WEIRD_PASV_REPLY", Unknown},
	14:  {"FTP_WEIRD_227_FORMAT", Unknown},
	15:  {"FTP_CANT_GET_HOST", Unknown},
	16:  {"HTTP2", HTTP2},
	17:  {"FTP_COULDNT_SET_TYPE", Unknown},
	18:  {"PARTIAL_FILE", Truncated},
	19:  {"FTP_COULDNT_RETR_FILE", Unknown},
	21:  {"QUOTE_ERROR", Unknown},
	22:  {"HTTP_RETURNED_ERROR", Protocol}, // a refused WebSocket upgrade
	23:  {"WRITE_ERROR", Receive},
	25:  {"UPLOAD_FAILED", Send},
	26:  {"READ_ERROR", RequestBody},
	27:  {"OUT_OF_MEMORY", OutOfMemory},
	28:  {"OPERATION_TIMEDOUT", Timeout},
	30:  {"FTP_PORT_FAILED", Unknown},
	31:  {"FTP_COULDNT_USE_REST", Unknown},
	33:  {"RANGE_ERROR", Protocol}, // the server does not do ranges
	34:  {"HTTP_POST_ERROR", Internal},
	35:  {"SSL_CONNECT_ERROR", TLS},
	36:  {"BAD_DOWNLOAD_RESUME", Unknown},
	37:  {"FILE_COULDNT_READ_FILE", Local},
	38:  {"LDAP_CANNOT_BIND", Unknown},
	39:  {"LDAP_SEARCH_FAILED", Unknown},
	41:  {"FUNCTION_NOT_FOUND", Unsupported},
	42:  {"ABORTED_BY_CALLBACK", Canceled},
	43:  {"BAD_FUNCTION_ARGUMENT", InvalidOption},
	45:  {"INTERFACE_FAILED", Local},
	47:  {"TOO_MANY_REDIRECTS", TooManyRedirects},
	48:  {"UNKNOWN_OPTION", Unsupported}, // an option newer than this libcurl
	49:  {"SETOPT_OPTION_SYNTAX", InvalidOption},
	52:  {"GOT_NOTHING", ConnectionClosed},
	53:  {"SSL_ENGINE_NOTFOUND", TLS},
	54:  {"SSL_ENGINE_SETFAILED", TLS},
	55:  {"SEND_ERROR", Send},
	56:  {"RECV_ERROR", Receive},
	58:  {"SSL_CERTPROBLEM", ClientCertificate},
	59:  {"SSL_CIPHER", TLS},
	60:  {"PEER_FAILED_VERIFICATION", CertificateVerification},
	61:  {"BAD_CONTENT_ENCODING", ContentEncoding},
	63:  {"FILESIZE_EXCEEDED", BodyTooLarge},
	64:  {"USE_SSL_FAILED", TLS},
	65:  {"SEND_FAIL_REWIND", BodyNotRewindable},
	66:  {"SSL_ENGINE_INITFAILED", TLS},
	67:  {"LOGIN_DENIED", Auth},
	68:  {"TFTP_NOTFOUND", Unknown},
	69:  {"TFTP_PERM", Unknown},
	70:  {"REMOTE_DISK_FULL", Unknown},
	71:  {"TFTP_ILLEGAL", Unknown},
	72:  {"TFTP_UNKNOWNID", Unknown},
	73:  {"REMOTE_FILE_EXISTS", Unknown},
	74:  {"TFTP_NOSUCHUSER", Unknown},
	77:  {"SSL_CACERT_BADFILE", Local},
	78:  {"REMOTE_FILE_NOT_FOUND", Unknown},
	79:  {"SSH", Unknown},
	80:  {"SSL_SHUTDOWN_FAILED", TLS},
	81:  {"AGAIN", Internal},
	82:  {"SSL_CRL_BADFILE", Local},
	83:  {"SSL_ISSUER_ERROR", CertificateVerification},
	84:  {"FTP_PRET_FAILED", Unknown},
	85:  {"RTSP_CSEQ_ERROR", Unknown},
	86:  {"RTSP_SESSION_ERROR", Unknown},
	87:  {"FTP_BAD_FILE_LIST", Unknown},
	88:  {"CHUNK_FAILED", Unknown},
	89:  {"NO_CONNECTION_AVAILABLE", Connect},
	90:  {"SSL_PINNEDPUBKEYNOTMATCH", CertificateVerification},
	91:  {"SSL_INVALIDCERTSTATUS", CertificateVerification},
	92:  {"HTTP2_STREAM", HTTP2},
	93:  {"RECURSIVE_API_CALL", Internal},
	94:  {"AUTH_ERROR", Auth},
	95:  {"HTTP3", HTTP3},
	96:  {"QUIC_CONNECT_ERROR", Connect},
	97:  {"PROXY", Proxy},
	98:  {"SSL_CLIENTCERT", ClientCertificate},
	99:  {"UNRECOVERABLE_POLL", Internal},
	100: {"TOO_LARGE", HeadTooLarge}, // 8.6
	101: {"ECH_REQUIRED", TLS},       // 8.8
}
