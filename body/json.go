package body

import "encoding/json"

// JSON is v as encoding/json writes it, with the type application/json. It is made
// at once: v may change afterwards.
func JSON(v any) *Content {
	b, err := json.Marshal(v)
	if err != nil {
		return failed(err)
	}
	return Data("application/json", b)
}
