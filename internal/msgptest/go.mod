module github.com/ratmom/ratmom/internal/msgptest

go 1.26.0

replace (
	github.com/ratmom/ratmom => ../../
	github.com/ratmom/ratmom/grid/msgpack => ../../grid/msgpack
)

require (
	github.com/ratmom/ratmom v0.0.0-00010101000000-000000000000
	github.com/ratmom/ratmom/grid/msgpack v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	github.com/tinylib/msgp v1.6.5
	go.uber.org/goleak v1.3.0
)

require (
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/shamaton/msgpack/v3 v3.1.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
