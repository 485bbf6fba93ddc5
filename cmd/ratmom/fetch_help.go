package main

import "github.com/spf13/pflag"

func fetchHelp(set *pflag.FlagSet) string { return fetchIntro + set.FlagUsages() + fetchMore }

const fetchIntro = `Fetches URLs, many at once. A URL without a scheme is an http one.

Usage: ratmom fetch [FLAGS] URL...

  ratmom fetch --demo                                a page from within this program
  ratmom fetch https://example.com/                  a page, to standard output
  ratmom fetch -O https://example.com/a.tar.gz       a file, to a.tar.gz
  ratmom fetch -d pages -j 50 --input urls.txt       many, 50 at once, into a folder
  ratmom fetch -v -o /dev/null https://example.com/  what is said on the way
  ratmom fetch -w json -o /dev/null --input urls.txt how long each takes, as JSON
  ratmom fetch --data name=value example.com/form    a form, by POST
  ratmom fetch -X PUT --data @cat.jpg -H 'Content-Type: image/jpeg' example.com/cat
  ratmom fetch -u ann:secret --auth digest --fail https://example.com/private

`

const fetchMore = `
Bodies of several URLs on standard output stand in the order of the URLs. With -j
they are still fetched at once, and wait for their turn, which counts for
--max-time. A file appears under its name when it is complete, not before, and
replaces one that was there; the names that -O makes are safe ones, and two URLs of
one run never share one. Progress bars are shown on a terminal, for what takes
longer than half a second.

--data is sent as application/x-www-form-urlencoded unless -H says otherwise. Files
are sent as they are; from standard input, to one URL, as it comes.

-w json prints its lines to standard output, or to standard error if bodies go to
standard output. Times are in seconds from the start of the last redirect's
transfer; elapsed is that of everything. A failed URL has an error and its kind.

Exit codes:
    0  all URLs were fetched
    1  some were not
    2  the command line is wrong; nothing was sent
   22  with --fail: servers answered with a status of 400 or more, and nothing
       else failed
  130  interrupted
`
