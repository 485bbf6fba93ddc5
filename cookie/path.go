package cookie

import "strings"

// defaultPath is the path of a cookie that was set at path and names none: all but
// the last segment (section 5.1.4).
func defaultPath(path string) string {
	if path == "" || path[0] != '/' {
		return "/"
	}
	return path[:max(1, strings.LastIndexByte(path, '/'))]
}

// pathMatch reports whether path is cookiePath or below it (section 5.1.4).
func pathMatch(path, cookiePath string) bool {
	if path == "" {
		path = "/"
	}
	rest, ok := strings.CutPrefix(path, cookiePath)
	return ok && (rest == "" || strings.HasSuffix(cookiePath, "/") || rest[0] == '/')
}
