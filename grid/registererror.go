package grid

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

var registered struct {
	sync.RWMutex
	byCode map[uint16]error
	codes  []uint16 // in their order
}

// RegisterError gives err an identity on the wire: if a handler returns an error
// that is err, what the caller gets is err too, by errors.Is. Both sides must
// register it with the same code, which is not 0. It panics if the code is taken by another error, as
// registering is for the start of a program.
func RegisterError(code uint16, err error) {
	if code == 0 || err == nil {
		panic("grid: RegisterError needs a code other than 0, and an error")
	}
	registered.Lock()
	defer registered.Unlock()
	if old := registered.byCode[code]; old != nil && old != err {
		panic(fmt.Sprintf("grid: the error code %d is already registered for: %v", code, old))
	}
	if registered.byCode == nil {
		registered.byCode = make(map[uint16]error)
	}
	if registered.byCode[code] == nil {
		at, _ := slices.BinarySearch(registered.codes, code)
		registered.codes = slices.Insert(registered.codes, at, code)
	}
	registered.byCode[code] = err
}

func registeredError(code uint16) error {
	registered.RLock()
	defer registered.RUnlock()
	return registered.byCode[code]
}

// codeOf finds the registered error that err is, 0 if none. If it is several, one that is another of them goes
// before that, and then the lower code.
func codeOf(err error) (code uint16) {
	registered.RLock()
	defer registered.RUnlock()
	for _, x := range registered.codes {
		if r := registered.byCode[x]; errors.Is(err, r) && (code == 0 || errors.Is(r, registered.byCode[code])) {
			code = x
		}
	}
	return code
}
