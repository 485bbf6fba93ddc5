//go:build !unix

package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
)

type socketFile struct{}

func (*socketFile) remove() {}

func listenFile(_ context.Context, network, path string, _ fs.FileMode) (net.Listener, *socketFile, error) {
	return nil, nil, fmt.Errorf("listen: %s socket %s: %w", network, path, errors.ErrUnsupported)
}
