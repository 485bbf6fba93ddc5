module github.com/ratmom/ratmom/bench

go 1.26.0

replace github.com/ratmom/ratmom => ../

require github.com/ratmom/ratmom v0.0.0-00010101000000-000000000000

require (
	github.com/andelf/go-curl v0.0.0-20250312014544-8683354c1636 // indirect
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
