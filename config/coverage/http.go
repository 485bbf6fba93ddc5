package coverage

func message() []Entry {
	return []Entry{
		option("ACCEPT_ENCODING", Both, "Decompression"),
		option("AUTOREFERER", Both, "AutoReferer"),
		option("DISALLOW_USERNAME_IN_URL", Both, "DisallowUserinfo"),
		option("EXPECT_100_TIMEOUT_MS", Both, "ExpectContinue"),
		option("HEADEROPT", Both, "ProxyHeaders"),
		option("HTTP09_ALLOWED", Both, "AllowHTTP09"),
		option("HTTP200ALIASES", Both, "StatusAliases"),
		option("HTTPHEADER", Code, "Request.Header"),
		option("HTTP_CONTENT_DECODING", Both, "TransferDecoding", "TransferCompression"),
		option("HTTP_TRANSFER_DECODING", Both, "TransferDecoding", "TransferCompression"),
		option("IGNORE_CONTENT_LENGTH", Both, "IgnoreContentLength"),
		option("KEEP_SENDING_ON_ERROR", Both, "StopUploadOnError"),
		option("MAXFILESIZE_LARGE", Both, "MaxBodyBytes"),
		option("MAXREDIRS", Both, "MaxRedirects"),
		without("PATH_AS_IS", Engine, "always set: the path is sent as the URL has it"),
		option("RANGE", Request, "Range"),
		option("REFERER", Code, "Request.Header"),
		option("REQUEST_TARGET", Request, "RequestTarget"),
		option("RESUME_FROM_LARGE", Request, "Range"),
		option("TIMECONDITION", Request, "TimeCondition"),
		option("TIMEVALUE_LARGE", Request, "TimeCondition"),
		option("TRANSFER_ENCODING", Both, "TransferCompression"),
		option("USERAGENT", Both, "UserAgent"),
		option("VERBOSE", Both, "WireLog"),
	}
}

func authentication() []Entry {
	return []Entry{
		option("AWS_SIGV4", Both, "AWSSigV4Auth"),
		option("GSSAPI_DELEGATION", Both, "GSSAPIDelegation"),
		option("HTTPAUTH", Both, "BasicAuth", "DigestAuth", "NTLMAuth", "NegotiateAuth", "BearerAuth", "AnyAuth", "AnySafeAuth", "Netrc", "NoAuth"),
		option("NETRC", Both, "Netrc"),
		option("NETRC_FILE", Both, "Netrc"),
		option("PASSWORD", Both, "BasicAuth", "DigestAuth", "NTLMAuth", "AnyAuth", "AnySafeAuth", "Netrc"),
		option("SERVICE_NAME", Both, "ServiceName"),
		option("USERNAME", Both, "BasicAuth", "DigestAuth", "NTLMAuth", "AnyAuth", "AnySafeAuth", "Netrc"),
		option("XOAUTH2_BEARER", Both, "BearerAuth"),
	}
}

func proxies() []Entry {
	return []Entry{
		option("HAPROXYPROTOCOL", Both, "HAProxyProtocol"),
		since("8.2.0", option("HAPROXY_CLIENT_IP", Both, "HAProxyClientIP")),
		option("HTTPPROXYTUNNEL", Both, "ProxyTunnel"),
		option("NOPROXY", Both, "NoProxy"),
		option("PRE_PROXY", Both, "PreProxy"),
		option("PROXY", Both, "Proxy", "ProxyFromEnvironment"),
		option("PROXYAUTH", Both, "ProxyBasicAuth", "ProxyDigestAuth", "ProxyNTLMAuth", "ProxyNegotiateAuth", "ProxyAnyAuth", "ProxyAnySafeAuth", "NoProxyAuth", "Proxy"),
		option("PROXYHEADER", Both, "ProxyHeaders"),
		option("PROXYPASSWORD", Both, "Proxy", "ProxyBasicAuth"),
		without("PROXYPORT", Replaced, "the port in the proxy's URL"),
		option("PROXYTYPE", Both, "Proxy"),
		option("PROXYUSERNAME", Both, "Proxy", "ProxyBasicAuth"),
		option("PROXY_SERVICE_NAME", Both, "ProxyServiceName"),
		option("SOCKS5_AUTH", Both, "Proxy"),
		without("SOCKS5_GSSAPI_NEC", Engine, "libcurl's GSS-API for SOCKS5 waits in place, which would stop the agent"),
		without("SOCKS5_GSSAPI_SERVICE", Deprecated, "PROXY_SERVICE_NAME"),
	}
}

func versions() []Entry {
	return []Entry{
		option("ALTSVC", Client, "AltSvc"),
		option("ALTSVC_CTRL", Client, "AltSvc"),
		option("HSTS", Client, "HSTS"),
		without("HSTSREADDATA", Replaced, "HSTS"),
		without("HSTSREADFUNCTION", Replaced, "HSTS"),
		without("HSTSWRITEDATA", Replaced, "HSTS"),
		without("HSTSWRITEFUNCTION", Replaced, "HSTS"),
		option("HSTS_CTRL", Client, "HSTS"),
		option("HTTP_VERSION", Both, "HTTPVersion"),
		option("PIPEWAIT", Both, "PipeWait"),
		without("STREAM_DEPENDS", Deprecated, "RFC 9113, section 5.3: priorities of HTTP/2"),
		without("STREAM_DEPENDS_E", Deprecated, "RFC 9113, section 5.3: priorities of HTTP/2"),
		option("STREAM_WEIGHT", Both, "StreamWeight"),
		option("WS_OPTIONS", Code, "Client.WebSocket"),
	}
}
