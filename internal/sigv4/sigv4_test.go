package sigv4

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The examples of AWS: of the test suite for Signature Version 4, of the page on
// signing with ListUsers of IAM, and of the reference of S3.
func TestSign_makes_the_signatures_that_AWS_documents(t *testing.T) {
	suite := Key{
		ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		Region: "us-east-1", Service: "service", Provider: "aws:amz",
	}
	iam := suite
	iam.Service = "iam"
	s3 := Key{
		ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		Region: "us-east-1", Service: "s3", Provider: "aws:amz",
	}
	const bucket = "examplebucket.s3.amazonaws.com"
	empty := Hash(nil)
	for _, c := range []struct {
		name      string
		key       Key
		request   Request
		date      string
		signed    string
		signature string
	}{
		{
			"get-vanilla", suite,
			Request{Method: "GET", Host: "example.amazonaws.com", Target: "/", Payload: empty},
			"20150830T123600Z", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		},
		{
			"get-vanilla-query-order-key-case", suite,
			Request{Method: "GET", Host: "example.amazonaws.com", Target: "/?Param2=value2&Param1=value1", Payload: empty},
			"20150830T123600Z", "host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		},
		{
			"post-vanilla", suite,
			Request{Method: "POST", Host: "example.amazonaws.com", Target: "/", Payload: empty},
			"20150830T123600Z", "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		},
		{
			"get-relative, normalized", suite,
			Request{Method: "GET", Host: "example.amazonaws.com", Target: "/example/..", Payload: empty},
			"20150830T123600Z", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		},
		{
			"ListUsers", iam,
			Request{
				Method: "GET", Host: "iam.amazonaws.com", Target: "/?Action=ListUsers&Version=2010-05-08", Payload: empty,
				Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
			},
			"20150830T123600Z", "content-type;host;x-amz-date",
			"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
		},
		{
			"GET Object", s3,
			Request{Method: "GET", Host: bucket, Target: "/test.txt", Payload: empty, Header: http.Header{"Range": {"bytes=0-9"}}},
			"20130524T000000Z", "host;range;x-amz-content-sha256;x-amz-date",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		},
		{
			"PUT Object", s3,
			Request{
				Method: "PUT", Host: bucket, Target: "/test%24file.text", Payload: Hash([]byte("Welcome to Amazon S3.")),
				Header: http.Header{"Date": {"Fri, 24 May 2013 00:00:00 GMT"}, "X-Amz-Storage-Class": {"REDUCED_REDUNDANCY"}},
			},
			"20130524T000000Z", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		},
		{
			"GET Bucket Lifecycle", s3,
			Request{Method: "GET", Host: bucket, Target: "/?lifecycle", Payload: empty},
			"20130524T000000Z", "host;x-amz-content-sha256;x-amz-date",
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		},
		{
			"List Objects", s3,
			Request{Method: "GET", Host: bucket, Target: "/?prefix=J&max-keys=2", Payload: empty},
			"20130524T000000Z", "host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(TimeFormat, c.date)
			require.NoError(t, err)
			h := c.request.Header.Clone()
			if h == nil {
				h = http.Header{}
			}
			h.Set("X-Amz-Date", c.date)
			if c.key.IsS3() {
				h.Set("X-Amz-Content-Sha256", c.request.Payload)
			}
			c.request.Header = h
			got := c.key.Sign(c.request, at)
			assert.Contains(t, got, ", SignedHeaders="+c.signed+", ")
			assert.True(t, strings.HasPrefix(got, "AWS4-HMAC-SHA256 Credential="+c.key.ID+"/"+c.date[:8]+"/us-east-1/"+c.key.Service+"/aws4_request, "), got)
			assert.True(t, strings.HasSuffix(got, ", Signature="+c.signature), got)
		})
	}
}

func TestCanonical_paths(t *testing.T) {
	other, s3 := Key{Service: "iam"}, Key{Service: "s3"}
	for _, c := range []struct{ path, normal, asIs string }{
		{"/", "/", "/"},
		{"", "/", ""},
		{"/a/./b/../c/", "/a/c/", "/a/./b/../c/"},
		{"//a//b", "/a/b", "//a//b"},
		{"/a%20b", "/a%2520b", "/a%20b"},
		{"/a%2fb", "/a%252fb", "/a/b"},
		{"/%zz%", "/%25zz%25", "/%25zz%25"},
		{"/~user-a_b.c", "/~user-a_b.c", "/~user-a_b.c"},
		{"/a+b,c:d", "/a%2Bb%2Cc%3Ad", "/a%2Bb%2Cc%3Ad"},
		{"/%E1%88%B4", "/%25E1%2588%25B4", "/%E1%88%B4"},
	} {
		assert.Equal(t, c.normal, other.canonicalPath(c.path), c.path)
		assert.Equal(t, c.asIs, s3.canonicalPath(c.path), c.path)
	}
}

func TestCanonical_queries(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		"b=2&a=1":            "a=1&b=2",
		"a=2&a=1&a":          "a=&a=1&a=2",
		"a-b=1&a=2":          "a=2&a-b=1", // - comes before =
		"lifecycle":          "lifecycle=",
		"q=a+b%20c":          "q=a%20b%20c",
		"q=%2f/~*":           "q=%2F%2F~%2A",
		"a=b=c":              "a=b%3Dc",
		"&&a=1&":             "a=1",
		"%":                  "%25=",
		"Param1=%E1%88%B4&x": "Param1=%E1%88%B4&x=",
	} {
		assert.Equal(t, want, canonicalQuery(in), in)
	}
}

func TestCanonical_fields_are_trimmed_and_joined(t *testing.T) {
	text, signed := Key{}.canonical(Request{
		Method: "GET", Host: "h", Target: "/",
		Header: http.Header{"X-Amz-B": {"  a   b\t c ", "d"}, "X-Amz-A": {""}},
	})
	assert.Equal(t, "host;x-amz-a;x-amz-b", signed)
	assert.Contains(t, text, "\nhost:h\nx-amz-a:\nx-amz-b:a b c,d\n\n")
}

func TestKey_names_what_other_providers_call_theirs(t *testing.T) {
	for provider, field := range map[string]string{"aws:amz": "X-Amz-Date", "osc": "X-Osc-Date", "goog:Goog": "X-Goog-Date"} {
		assert.Equal(t, field, Key{Provider: provider}.Field("date"), provider)
	}
	got := Key{ID: "i", Secret: "s", Region: "r", Service: "v", Provider: "osc"}.Sign(Request{Target: "/"}, time.Unix(0, 0))
	assert.True(t, strings.HasPrefix(got, "OSC4-HMAC-SHA256 Credential=i/19700101/r/v/osc4_request, "), got)
}
