package config

// masked is what is shown of a secret.
func masked(secret string) string {
	if secret == "" {
		return "none"
	}
	return "xxxxx"
}
