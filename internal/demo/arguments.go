package demo

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/ratmom/ratmom/internal/failure"
)

// Check returns what is wrong with the URLs that an example was given.
func Check(urls []string) error {
	for _, text := range urls {
		u, err := url.Parse(text)
		var inner *url.Error
		switch {
		case errors.As(err, &inner):
			return fmt.Errorf("%s: %w", failure.MaskText(text), inner.Err) // the outer one shows passwords
		case err != nil:
			return err
		case u.Host == "":
			return fmt.Errorf("%q is no URL, such as http://example.com/; without one the example serves itself", failure.MaskText(text))
		}
	}
	return nil
}
