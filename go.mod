module github.com/ratmom/ratmom

go 1.26

require (
	github.com/andelf/go-curl v0.0.0-20250312014544-8683354c1636
	github.com/stretchr/testify v1.12.1
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
