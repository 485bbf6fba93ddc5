package cookie

import "time"

// parseDate reads a date by the lenient algorithm of RFC 6265bis, section 5.1.1: the
// time, day, month and year in any order, between whatever else is there.
func parseDate(s string) (time.Time, bool) {
	var clock [3]int
	var day, month, year int
	var haveClock, haveDay, haveMonth, haveYear bool
	for len(s) > 0 {
		n := 0
		for n < len(s) && !delimiter(s[n]) {
			n++
		}
		token := s[:n]
		for n < len(s) && delimiter(s[n]) {
			n++
		}
		s = s[n:]
		if !haveClock {
			if clock, haveClock = parseClock(token); haveClock {
				continue
			}
		}
		if !haveDay {
			if day, haveDay = parseNumber(token, 1, 2); haveDay {
				continue
			}
		}
		if !haveMonth {
			if month, haveMonth = parseMonth(token); haveMonth {
				continue
			}
		}
		if !haveYear {
			year, haveYear = parseNumber(token, 2, 4)
		}
	}
	switch {
	case !haveClock || !haveDay || !haveMonth || !haveYear:
		return time.Time{}, false
	case year >= 70 && year <= 99:
		year += 1900
	case year <= 69:
		year += 2000
	}
	if day < 1 || year < 1601 || clock[0] > 23 || clock[1] > 59 || clock[2] > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, clock[0], clock[1], clock[2], 0, time.UTC)
	return t, t.Day() == day // there is no 30 February
}

func delimiter(c byte) bool {
	switch {
	case c == '\t', c >= 0x20 && c <= 0x2f, c >= 0x3b && c <= 0x40, c >= 0x5b && c <= 0x60, c >= 0x7b && c <= 0x7e:
		return true
	}
	return false
}

// parseNumber reads a number of min to max digits at the beginning of s. Anything but
// a digit may follow.
func parseNumber(s string, least, most int) (int, bool) {
	n, i := 0, 0
	for ; i < len(s) && digit(s[i]); i++ {
		if i == most {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, i >= least
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// parseClock reads "8:49:37" and what may follow it.
func parseClock(s string) (clock [3]int, ok bool) {
	for i := range clock {
		n := 0
		for n < len(s) && digit(s[n]) {
			n++
		}
		if i < 2 && (n == len(s) || s[n] != ':') {
			return clock, false
		}
		if clock[i], ok = parseNumber(s[:n], 1, 2); !ok {
			return clock, false
		}
		s = s[min(n+1, len(s)):]
	}
	return clock, true
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// parseMonth reads the first three letters of a month.
func parseMonth(s string) (int, bool) {
	if len(s) < 3 {
		return 0, false
	}
	name := lower(s[:3])
	for i := 0; i < len(months); i += 3 {
		if months[i:i+3] == name {
			return i/3 + 1, true
		}
	}
	return 0, false
}
