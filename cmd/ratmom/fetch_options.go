package main

import (
	"cmp"
	"regexp"

	"github.com/spf13/pflag"

	"github.com/ratmom/ratmom/config"
)

// options are the client's.
func (f *fetchFlags) options(set *pflag.FlagSet) []config.ClientOption {
	opts := []config.ClientOption{
		config.Metrics(f.writeOut != ""),
		config.Decompression(!f.raw),
		config.HTTPVersion(f.version()),
		config.MaxRedirects(f.redirects()),
		config.Timeout(f.maxTime.Duration),
		config.DangerAcceptInvalidCertificates(f.insecure),
		config.DangerAcceptInvalidHostnames(f.insecure),
	}
	if set.Changed("connect-timeout") {
		opts = append(opts, config.ConnectTimeout(f.connectTimeout.Duration))
	}
	if set.Changed("user-agent") {
		opts = append(opts, config.UserAgent(f.agent))
	}
	if set.Changed("proxy") {
		opts = append(opts, config.Proxy(f.proxy))
	}
	if f.cacert != "" {
		opts = append(opts, config.CAFile(f.cacert))
	}
	if f.cert != "" {
		opts = append(opts, config.ClientCertificate(f.cert, f.key))
	}
	if f.user != "" {
		opts = append(opts, f.credentials())
	}
	return opts
}

// optionFlags has the flags of the options that may refuse a value.
var optionFlags = map[string]string{
	"HTTPVersion":       "cannot speak",
	"UserAgent":         "-A",
	"Proxy":             "-x",
	"CAFile":            "--cacert",
	"ClientCertificate": "--cert",
	"BasicAuth":         "-u",
	"DigestAuth":        "-u",
	"NTLMAuth":          "-u",
	"AnyAuth":           "-u",
}

// optionError is what an option says: its name, value, and reason.
var optionError = regexp.MustCompile(`(?s)config\.(\w+)\((.*?)\): (.*)$`)

// inFlags says in the words of the command line what an option has refused.
func inFlags(err error) string {
	m := optionError.FindStringSubmatch(err.Error())
	if m == nil || optionFlags[m[1]] == "" {
		return err.Error()
	}
	return optionFlags[m[1]] + " " + cmp.Or(m[2], "''") + ": " + m[3]
}
