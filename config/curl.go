package config

import (
	"net/url"
	"strconv"
	"time"
)

// A curler knows the arguments with which the curl command does what the setting does. A setting
// that is not one stands in curlless, with the reason.
type curler interface {
	curl(*curlCommand)
}

// CurlArguments returns the arguments of the curl command that stand for the options, for a
// request of u, and names the options in use that curl has no argument for. What an
// option says of the message itself, such as [UserAgent], is not among them. Secrets are
// masked unless they are asked for.
func (r *RequestConfig) CurlArguments(u *url.URL, secrets bool) (args, without []string, err error) {
	t, err := r.targetOf(u)
	if err != nil {
		return nil, nil, err
	}
	c := &curlCommand{config: r, target: t, secrets: secrets}
	for _, s := range r.set {
		if x, ok := s.(curler); ok {
			x.curl(c)
		}
	}
	return c.args, c.without, nil
}

// curlCommand collects arguments.
type curlCommand struct {
	config  *RequestConfig
	target  target
	secrets bool
	args    []string
	without []string
}

// add adds an argument with its values.
func (c *curlCommand) add(args ...string) { c.args = append(c.args, args...) }

// secret adds an argument with a value that is masked.
func (c *curlCommand) secret(arg, value string) {
	if !c.secrets {
		value = maskText
	}
	c.add(arg, value)
}

// lacks notes an option that curl has no argument for.
func (c *curlCommand) lacks(option string) { c.without = append(c.without, option) }

func number(n int) string { return strconv.Itoa(n) }

// fraction is a time in seconds, as many of curl's arguments take it.
func fraction(d time.Duration) string {
	ms := int64((d + time.Millisecond - 1) / time.Millisecond)
	return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64)
}

// whole is a time in seconds, rounded up.
func whole(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// Why curl has no argument for some options.
const (
	inMessage = "said by the arguments of the message, which AsCurl makes"
	inProcess = "of this process: nothing of it is to be seen on the wire"
	ofMany    = "of many requests: a command makes one"
	noSuch    = "curl has no argument for it"
)

// curlless has the settings, by their type's name, that are not a curler.
var curlless = map[string]string{
	"autoReferer":      inMessage,
	"byteRange":        inMessage,
	"rawHeaders":       inMessage,
	"requestTarget":    inMessage,
	"timeCondition":    inMessage,
	"cookieJar":        inMessage,
	"decompression":    inMessage,
	"defaultHeaders":   inMessage,
	"maxRedirects":     inMessage,
	"titleCaseHeaders": inMessage,
	"tlsServerName":    inMessage,
	"userAgent":        inMessage,

	"bodyBuffer":           inProcess,
	"certificateChain":     inProcess,
	"dialContext":          inProcess,
	"downloadProgress":     inProcess,
	"maxDecompressedBytes": inProcess,
	"uploadProgress":       inProcess,
	"bufferSize":           inProcess,
	"checkRedirect":        inProcess,
	"metrics":              inProcess,
	"uploadBufferSize":     inProcess,
	"value":                inProcess,
	"wireLog":              inProcess,

	"agents":                ofMany,
	"caCacheTimeout":        ofMany,
	"pipeWait":              ofMany,
	"resolveAgain":          ofMany,
	"connectionReuse":       ofMany,
	"retries":               ofMany,
	"retryBudget":           ofMany,
	"connectionCacheSize":   ofMany,
	"connectionLifetime":    ofMany,
	"dnsCacheTimeout":       ofMany,
	"forbidReuse":           ofMany,
	"freshConnection":       ofMany,
	"idleConnectionAge":     ofMany,
	"maxAbandonedLookups":   ofMany,
	"maxConnections":        ofMany,
	"maxConnectionsPerHost": ofMany,
	"maxPausedStreams":      ofMany,

	"addressScope":         noSuch,
	"dnsShuffle":           noSuch,
	"partialChain":         noSuch,
	"statusAliases":        noSuch,
	"stopUploadOnError":    noSuch,
	"streamWeight":         noSuch,
	"idleReadTimeout":      noSuch,
	"maxResponseHeadBytes": noSuch,
	"responseHeadTimeout":  noSuch,
}
