package cgo

// The numbers of the easy options that concern HTTP, as in curl.h: stable for
// ever, so that an option newer than the headers can be asked for and refused at
// run time. opts_check.go compares them with the header when compiling.
const (
	// The request.
	OptURL                   Opt = 10002
	OptCurlU                 Opt = 10282
	OptPort                  Opt = 3
	OptCustomRequest         Opt = 10036
	OptHTTPGet               Opt = 80
	OptNoBody                Opt = 44
	OptPost                  Opt = 47
	OptPostFields            Opt = 10015
	OptPostFieldSizeLarge    Opt = 30120
	OptCopyPostFields        Opt = 10165
	OptMimePost              Opt = 10269
	OptMimeOptions           Opt = 315
	OptUpload                Opt = 46
	OptInFileSizeLarge       Opt = 30115
	OptUploadBufferSize      Opt = 280
	OptHTTPHeader            Opt = 10023
	OptHeaderOpt             Opt = 229
	OptProxyHeader           Opt = 10228
	OptRequestTarget         Opt = 10266
	OptPathAsIs              Opt = 234
	OptUserAgent             Opt = 10018
	OptReferer               Opt = 10016
	OptAutoReferer           Opt = 58
	OptRange                 Opt = 10007
	OptResumeFromLarge       Opt = 30116
	OptTimeCondition         Opt = 33
	OptTimeValueLarge        Opt = 30270
	OptAcceptEncoding        Opt = 10102
	OptTransferEncoding      Opt = 207
	OptExpect100TimeoutMS    Opt = 227
	OptTrailerFunction       Opt = 20283
	OptTrailerData           Opt = 10284
	OptAWSSigV4              Opt = 10305
	OptDisallowUsernameInURL Opt = 278
	OptDefaultProtocol       Opt = 10238
	OptProtocolsStr          Opt = 10318
	OptRedirProtocolsStr     Opt = 10319

	// The response.
	OptHeader                 Opt = 42
	OptFailOnError            Opt = 45
	OptKeepSendingOnError     Opt = 245
	OptHTTPContentDecoding    Opt = 158
	OptHTTPTransferDecoding   Opt = 157
	OptHTTP09Allowed          Opt = 285
	OptHTTP200Aliases         Opt = 10104
	OptIgnoreContentLength    Opt = 136
	OptMaxFileSizeLarge       Opt = 30117
	OptBufferSize             Opt = 98
	OptSuppressConnectHeaders Opt = 265
	OptFollowLocation         Opt = 52
	OptMaxRedirs              Opt = 68
	OptPostRedir              Opt = 161
	OptUnrestrictedAuth       Opt = 105

	// The protocol.
	OptHTTPVersion    Opt = 84
	OptPipeWait       Opt = 237
	OptStreamWeight   Opt = 239
	OptStreamDepends  Opt = 10240
	OptStreamDependsE Opt = 10241
	OptSSLEnableALPN  Opt = 226
	OptAltSvc         Opt = 10287
	OptAltSvcCtrl     Opt = 286
	OptHSTS           Opt = 10300
	OptHSTSCtrl       Opt = 299
	OptWSOptions      Opt = 320

	// Time.
	OptTimeoutMS              Opt = 155
	OptConnectTimeoutMS       Opt = 156
	OptLowSpeedLimit          Opt = 19
	OptLowSpeedTime           Opt = 20
	OptMaxSendSpeedLarge      Opt = 30145
	OptMaxRecvSpeedLarge      Opt = 30146
	OptHappyEyeballsTimeoutMS Opt = 271
	OptUpkeepIntervalMS       Opt = 281

	// Names and addresses.
	OptDNSCacheTimeout     Opt = 92
	OptDNSServers          Opt = 10211
	OptDNSInterface        Opt = 10221
	OptDNSLocalIP4         Opt = 10222
	OptDNSLocalIP6         Opt = 10223
	OptDNSShuffleAddresses Opt = 275
	OptDoHURL              Opt = 10279
	OptDoHSSLVerifyHost    Opt = 307
	OptDoHSSLVerifyPeer    Opt = 306
	OptDoHSSLVerifyStatus  Opt = 308
	OptResolve             Opt = 10203
	OptConnectTo           Opt = 10243
	OptIPResolve           Opt = 113
	OptInterface           Opt = 10062
	OptLocalPort           Opt = 139
	OptLocalPortRange      Opt = 140
	OptAddressScope        Opt = 171

	// The connection.
	OptUnixSocketPath      Opt = 10231
	OptAbstractUnixSocket  Opt = 10264
	OptTCPNoDelay          Opt = 121
	OptTCPFastOpen         Opt = 244
	OptTCPKeepAlive        Opt = 213
	OptTCPKeepIdle         Opt = 214
	OptTCPKeepIntvl        Opt = 215
	OptFreshConnect        Opt = 74
	OptForbidReuse         Opt = 75
	OptMaxConnects         Opt = 71
	OptMaxAgeConn          Opt = 288
	OptMaxLifetimeConn     Opt = 314
	OptConnectOnly         Opt = 141
	OptHAProxyProtocol     Opt = 274
	OptOpenSocketFunction  Opt = 20163
	OptOpenSocketData      Opt = 10164
	OptCloseSocketFunction Opt = 20208
	OptCloseSocketData     Opt = 10209
	OptSockoptFunction     Opt = 20148
	OptSockoptData         Opt = 10149
	OptPrereqFunction      Opt = 20312
	OptPrereqData          Opt = 10313

	// Proxies.
	OptProxy            Opt = 10004
	OptProxyPort        Opt = 59
	OptProxyType        Opt = 101
	OptPreProxy         Opt = 10262
	OptNoProxy          Opt = 10177
	OptHTTPProxyTunnel  Opt = 61
	OptProxyUsername    Opt = 10175
	OptProxyPassword    Opt = 10176
	OptProxyAuth        Opt = 111
	OptProxyServiceName Opt = 10235
	OptSOCKS5Auth       Opt = 267
	OptSOCKS5GSSAPINEC  Opt = 180

	// Authentication.
	OptHTTPAuth         Opt = 107
	OptUsername         Opt = 10173
	OptPassword         Opt = 10174
	OptLoginOptions     Opt = 10224
	OptXOAuth2Bearer    Opt = 10220
	OptNetrc            Opt = 51
	OptNetrcFile        Opt = 10118
	OptServiceName      Opt = 10236
	OptGSSAPIDelegation Opt = 210

	// Cookies.
	OptCookie        Opt = 10022
	OptCookieFile    Opt = 10031
	OptCookieJar     Opt = 10082
	OptCookieList    Opt = 10135
	OptCookieSession Opt = 96

	// TLS.
	OptCAInfo            Opt = 10065
	OptCAInfoBlob        Opt = 40309
	OptCAPath            Opt = 10097
	OptCACacheTimeout    Opt = 321
	OptCertInfo          Opt = 172
	OptCRLFile           Opt = 10169
	OptIssuerCert        Opt = 10170
	OptIssuerCertBlob    Opt = 40295
	OptKeyPasswd         Opt = 10026
	OptPinnedPublicKey   Opt = 10230
	OptSSLCert           Opt = 10025
	OptSSLCertBlob       Opt = 40291
	OptSSLCertType       Opt = 10086
	OptSSLKey            Opt = 10087
	OptSSLKeyBlob        Opt = 40292
	OptSSLKeyType        Opt = 10088
	OptSSLEngine         Opt = 10089
	OptSSLEngineDefault  Opt = 90
	OptSSLVersion        Opt = 32
	OptSSLCipherList     Opt = 10083
	OptTLS13Ciphers      Opt = 10276
	OptSSLECCurves       Opt = 10298
	OptSSLFalseStart     Opt = 233
	OptSSLOptions        Opt = 216
	OptSSLSessionIDCache Opt = 150
	OptSSLVerifyHost     Opt = 81
	OptSSLVerifyPeer     Opt = 64
	OptSSLVerifyStatus   Opt = 232
	OptSSLCtxFunction    Opt = 20108
	OptSSLCtxData        Opt = 10109
	OptTLSAuthType       Opt = 10206
	OptTLSAuthUsername   Opt = 10204
	OptTLSAuthPassword   Opt = 10205

	// TLS to proxies.
	OptProxyCAInfo          Opt = 10246
	OptProxyCAInfoBlob      Opt = 40310
	OptProxyCAPath          Opt = 10247
	OptProxyCRLFile         Opt = 10260
	OptProxyIssuerCert      Opt = 10296
	OptProxyIssuerCertBlob  Opt = 40297
	OptProxyKeyPasswd       Opt = 10258
	OptProxyPinnedPublicKey Opt = 10263
	OptProxySSLCert         Opt = 10254
	OptProxySSLCertBlob     Opt = 40293
	OptProxySSLCertType     Opt = 10255
	OptProxySSLKey          Opt = 10256
	OptProxySSLKeyBlob      Opt = 40294
	OptProxySSLKeyType      Opt = 10257
	OptProxySSLVersion      Opt = 250
	OptProxySSLCipherList   Opt = 10259
	OptProxyTLS13Ciphers    Opt = 10277
	OptProxySSLOptions      Opt = 261
	OptProxySSLVerifyHost   Opt = 249
	OptProxySSLVerifyPeer   Opt = 248
	OptProxyTLSAuthType     Opt = 10253
	OptProxyTLSAuthUsername Opt = 10251
	OptProxyTLSAuthPassword Opt = 10252

	// The handle.
	OptNoSignal              Opt = 99
	OptNoProgress            Opt = 43
	OptVerbose               Opt = 41
	OptQuickExit             Opt = 322
	OptPrivate               Opt = 10103
	OptErrorBuffer           Opt = 10010
	OptShare                 Opt = 10100
	OptDebugFunction         Opt = 20094
	OptDebugData             Opt = 10095
	OptWriteFunction         Opt = 20011
	OptWriteData             Opt = 10001
	OptReadFunction          Opt = 20012
	OptReadData              Opt = 10009
	OptSeekFunction          Opt = 20167
	OptSeekData              Opt = 10168
	OptHeaderFunction        Opt = 20079
	OptHeaderData            Opt = 10029
	OptXferInfoFunction      Opt = 20219
	OptXferInfoData          Opt = 10057
	OptResolverStartFunction Opt = 20272
	OptResolverStartData     Opt = 10273

	// Newer than libcurl 7.88.
	OptHAProxyClientIP        Opt = 10323 // 8.2
	OptECH                    Opt = 10325 // 8.8
	OptTCPKeepCnt             Opt = 326   // 8.9
	OptUploadFlags            Opt = 327   // 8.13
	OptSSLSignatureAlgorithms Opt = 10328 // 8.14
)

// OptTypeOfService is for the sockets that the loop makes: the byte of IP_TOS and
// IPV6_TCLASS. libcurl does not see it; it has the number of the option by which
// programs of their own would do that.
const OptTypeOfService = OptSockoptData

// OptDial has Go make the connections, see [Transfer.Dial]; its value does not matter.
// libcurl does not see it, as above.
const OptDial = OptOpenSocketData

// The numbers of the options of the multi handle that take a long.
const (
	MultiOptPipelining           MultiOpt = 3
	MultiOptMaxConnects          MultiOpt = 6
	MultiOptMaxHostConnections   MultiOpt = 7
	MultiOptMaxTotalConnections  MultiOpt = 13
	MultiOptMaxConcurrentStreams MultiOpt = 16
)
