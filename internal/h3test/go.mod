module github.com/ratmom/ratmom/internal/h3test

go 1.26.0

replace (
	github.com/ratmom/ratmom => ../../
	github.com/ratmom/ratmom/server/http3 => ../../server/http3
)

require (
	github.com/quic-go/quic-go v0.65.0
	github.com/ratmom/ratmom v0.0.0-00010101000000-000000000000
	github.com/ratmom/ratmom/server/http3 v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/andelf/go-curl v0.0.0-20250312014544-8683354c1636 // indirect
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/quic-go/qpack v0.6.0 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
