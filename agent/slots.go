package agent

// slots keeps what C knows by a number: a place that is left is given again.
type slots[T any] struct {
	at   []*T // nil: free
	free []uint32
}

func (s *slots[T]) enter(v *T) uint32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		s.at[i] = v
		return i
	}
	s.at = append(s.at, v)
	return uint32(len(s.at) - 1)
}

func (s *slots[T]) leave(i uint32) {
	s.at[i] = nil
	s.free = append(s.free, i)
}
