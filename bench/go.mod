module github.com/ratmom/ratmom/bench

go 1.26.0

replace github.com/ratmom/ratmom => ../

require (
	github.com/andelf/go-curl v0.0.0-20250312014544-8683354c1636
	github.com/go-resty/resty/v2 v2.17.2
	github.com/quic-go/quic-go v0.65.0
	github.com/ratmom/ratmom v0.0.0-00010101000000-000000000000
	github.com/valyala/fasthttp v1.78.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/molecule-man/go-brrr v1.3.1 // indirect
	github.com/quic-go/qpack v0.6.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)
