package coverage

// engine is what the client sets itself.
func engine() []Entry {
	return []Entry{
		without("CLOSESOCKETDATA", Engine, "the loop owns the sockets"),
		without("CLOSESOCKETFUNCTION", Engine, "the loop owns the sockets"),
		without("COOKIE", Replaced, "the request's Cookie header"),
		without("COOKIEFILE", Replaced, "cookies are kept in Go: CookieJar"),
		without("COOKIEJAR", Replaced, "cookies are kept in Go: CookieJar"),
		without("COOKIELIST", Replaced, "cookies are kept in Go: CookieJar"),
		without("COOKIESESSION", Replaced, "cookies are kept in Go: CookieJar"),
		without("COPYPOSTFIELDS", Engine, "how a body in memory is handed over"),
		without("CURLU", Engine, "the request's URL, parsed once"),
		without("CUSTOMREQUEST", Engine, "the request's Method"),
		without("DEBUGDATA", Engine, "see WireLog"),
		without("DEBUGFUNCTION", Engine, "see WireLog"),
		without("DEFAULT_PROTOCOL", Replaced, "a URL without a scheme is an error"),
		without("ERRORBUFFER", Engine, "the text of Error"),
		without("FAILONERROR", Replaced, "the caller looks at StatusCode: the body of a failure is often wanted"),
		without("FOLLOWLOCATION", Replaced, "redirects are followed in Go: MaxRedirects, CheckRedirect"),
		without("HEADER", Engine, "head and body are kept apart"),
		without("HEADERDATA", Engine, "the response's Header"),
		without("HEADERFUNCTION", Engine, "the response's Header"),
		without("HTTPGET", Engine, "the request's Method"),
		without("INFILESIZE_LARGE", Engine, "the request's ContentLength"),
		without("MIMEPOST", Replaced, "forms are made in Go, as streams"),
		without("MIME_OPTIONS", Replaced, "forms are made in Go, as streams"),
		without("NOBODY", Engine, "the request's Method"),
		without("NOPROGRESS", Engine, "progress is counted in Go"),
		without("NOSIGNAL", Engine, "always set: Go's signals are Go's"),
		without("PORT", Replaced, "the port in the URL; ConnectTo goes to another"),
		without("POST", Engine, "the request's Method"),
		without("POSTFIELDS", Engine, "how a body in memory is handed over"),
		without("POSTFIELDSIZE", Engine, "how a body in memory is handed over"),
		without("POSTFIELDSIZE_LARGE", Engine, "how a body in memory is handed over"),
		without("POSTREDIR", Replaced, "redirects are followed in Go, by the rules of fetch: 307 and 308 keep the method"),
		without("PREREQDATA", Engine, "nothing is sent twice unseen"),
		without("PREREQFUNCTION", Engine, "nothing is sent twice unseen"),
		without("PRIVATE", Engine, "how the loop knows its requests"),
		without("PROTOCOLS_STR", Engine, "always http and https"),
		without("QUICK_EXIT", Engine, "always set: a look-up that hangs holds nobody up"),
		without("READDATA", Engine, "the request's Body"),
		without("READFUNCTION", Engine, "the request's Body"),
		without("REDIR_PROTOCOLS_STR", Engine, "always http and https"),
		without("RESOLVER_START_DATA", Engine, "look-ups are counted: MaxAbandonedLookups"),
		without("RESOLVER_START_FUNCTION", Engine, "look-ups are counted: MaxAbandonedLookups"),
		without("SEEKDATA", Engine, "the request's GetBody"),
		without("SEEKFUNCTION", Engine, "the request's GetBody"),
		without("SHARE", Engine, "a client shares among its agents what can be shared"),
		without("SSL_CTX_DATA", Engine, "a pointer into the TLS library is not for Go"),
		without("SSL_CTX_FUNCTION", Engine, "a pointer into the TLS library is not for Go"),
		without("STDERR", Engine, "nothing is printed: WireLog hands it over"),
		without("SUPPRESS_CONNECT_HEADERS", Engine, "always set: a proxy's answer is not the response"),
		without("TRAILERDATA", Engine, "the request's Trailer"),
		without("TRAILERFUNCTION", Engine, "the request's Trailer"),
		without("TRANSFERTEXT", NotHTTP, "FTP and LDAP"),
		without("UNRESTRICTED_AUTH", Replaced, "redirects are followed in Go; credentials stay with their origin"),
		without("UPLOAD", Engine, "the request's Body"),
		without("URL", Engine, "the request's URL"),
		without("WRITEDATA", Engine, "the response's Body"),
		without("WRITEFUNCTION", Engine, "the response's Body"),
		without("XFERINFODATA", Engine, "progress is counted in Go"),
		without("XFERINFOFUNCTION", Engine, "progress is counted in Go"),
	}
}

// deprecated is what libcurl keeps for old programs.
func deprecated() []Entry {
	return []Entry{
		without("CLOSEPOLICY", Deprecated, "does nothing"),
		without("CONNECTTIMEOUT", Replaced, "CONNECTTIMEOUT_MS"),
		without("CONV_FROM_NETWORK_FUNCTION", Deprecated, "does nothing"),
		without("CONV_FROM_UTF8_FUNCTION", Deprecated, "does nothing"),
		without("CONV_TO_NETWORK_FUNCTION", Deprecated, "does nothing"),
		without("DNS_USE_GLOBAL_CACHE", Deprecated, "does nothing"),
		without("EGDSOCKET", Deprecated, "does nothing"),
		without("HTTPPOST", Deprecated, "forms are made in Go, as streams"),
		without("INFILESIZE", Replaced, "INFILESIZE_LARGE"),
		without("IOCTLDATA", Deprecated, "SEEKFUNCTION"),
		without("IOCTLFUNCTION", Deprecated, "SEEKFUNCTION"),
		without("KRBLEVEL", Deprecated, "FTP"),
		without("MAXFILESIZE", Replaced, "MAXFILESIZE_LARGE"),
		without("PROGRESSFUNCTION", Deprecated, "XFERINFOFUNCTION"),
		without("PROTOCOLS", Deprecated, "PROTOCOLS_STR"),
		without("PROXYUSERPWD", Replaced, "PROXYUSERNAME and PROXYPASSWORD"),
		without("PUT", Deprecated, "UPLOAD"),
		without("RANDOM_FILE", Deprecated, "does nothing"),
		without("REDIR_PROTOCOLS", Deprecated, "REDIR_PROTOCOLS_STR"),
		without("RESUME_FROM", Replaced, "RESUME_FROM_LARGE"),
		without("SSL_ENABLE_NPN", Deprecated, "does nothing"),
		without("TIMEOUT", Replaced, "TIMEOUT_MS"),
		without("TIMEVALUE", Replaced, "TIMEVALUE_LARGE"),
		without("USERPWD", Replaced, "USERNAME and PASSWORD"),
	}
}

// foreign is what other protocols have.
func foreign() []Entry {
	var all []Entry
	for protocol, names := range map[string][]string{
		"FTP": {
			"ACCEPTTIMEOUT_MS", "APPEND", "CHUNK_BGN_FUNCTION", "CHUNK_DATA", "CHUNK_END_FUNCTION", "FNMATCH_DATA", "FNMATCH_FUNCTION",
			"FTPPORT", "FTPSSLAUTH", "FTP_ACCOUNT", "FTP_ALTERNATIVE_TO_USER", "FTP_CREATE_MISSING_DIRS", "FTP_FILEMETHOD",
			"FTP_SKIP_PASV_IP", "FTP_SSL_CCC", "FTP_USE_EPRT", "FTP_USE_EPSV", "FTP_USE_PRET", "POSTQUOTE", "PREQUOTE",
			"PROXY_TRANSFER_MODE", "QUOTE", "SERVER_RESPONSE_TIMEOUT", "SERVER_RESPONSE_TIMEOUT_MS", "WILDCARDMATCH", "CRLF", "DIRLISTONLY",
		},
		"FTP and SFTP": {"NEW_DIRECTORY_PERMS", "NEW_FILE_PERMS", "FILETIME"},
		"FTP and mail": {"USE_SSL"},
		"mail": {
			"LOGIN_OPTIONS", "MAIL_AUTH", "MAIL_FROM", "MAIL_RCPT", "MAIL_RCPT_ALLLOWFAILS", "MAIL_RCPT_ALLOWFAILS", "SASL_AUTHZID", "SASL_IR", "UPLOAD_FLAGS",
		},
		"RTSP": {
			"INTERLEAVEDATA", "INTERLEAVEFUNCTION", "RTSP_CLIENT_CSEQ", "RTSP_REQUEST", "RTSP_SERVER_CSEQ", "RTSP_SESSION_ID",
			"RTSP_STREAM_URI", "RTSP_TRANSPORT",
		},
		"SSH": {
			"SSH_AUTH_TYPES", "SSH_COMPRESSION", "SSH_HOSTKEYDATA", "SSH_HOSTKEYFUNCTION", "SSH_HOST_PUBLIC_KEY_MD5",
			"SSH_HOST_PUBLIC_KEY_SHA256", "SSH_KEYDATA", "SSH_KEYFUNCTION", "SSH_KNOWNHOSTS", "SSH_PRIVATE_KEYFILE", "SSH_PUBLIC_KEYFILE",
		},
		"Telnet": {"TELNETOPTIONS"},
		"TFTP":   {"TFTP_BLKSIZE", "TFTP_NO_OPTIONS"},
	} {
		for _, n := range names {
			all = append(all, without(n, NotHTTP, protocol))
		}
	}
	return all
}
