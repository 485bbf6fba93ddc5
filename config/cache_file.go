package config

import "os"

// checkCacheFile refuses a path under which no file of ours can be. "" is none, and
// there need be no file yet.
func checkCacheFile(option, path string) error {
	if path == "" {
		return nil
	}
	if err := checkText(option, path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return nil
	case err != nil:
		return invalid(option, path, "%v", err)
	case !info.Mode().IsRegular():
		return invalid(option, path, "is not a regular file")
	}
	return nil
}
