package demo

import (
	"fmt"

	"github.com/ratmom/ratmom/internal/failure"
)

// Check returns what is wrong with the URLs that an example was given.
func Check(urls []string) error {
	for _, text := range urls {
		u, err := failure.ParseURL(text)
		if err != nil {
			return err
		}
		if u.Host == "" {
			return fmt.Errorf("%q is no URL, such as http://example.com/; without one the example serves itself", failure.MaskText(text))
		}
	}
	return nil
}
