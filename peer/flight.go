package peer

type flight struct{}
type wire struct{}
type call struct{}
