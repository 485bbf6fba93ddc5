package frame

// State is that of an id, as the receiver of a frame sees it.
type State uint8

// The states. The first group is of ids that the sender of the frame issued, the
// second of those that its receiver issued.
const (
	ServedAbsent  State = iota // never begun, refused, or ended
	ServedRequest              // a call or the payload of a stream whose fragments are arriving
	ServedCall                 // a handler is at it
	ServedStream
	ServedHalf // the issuer has ended its direction

	IssuedAbsent // never begun, or ended by the server
	IssuedCall
	IssuedStream
	IssuedGivenUp // the issuer has sent Reset, and the server not yet ended it
	numStates
)

// Action is what to do with a frame.
type Action uint8

// The actions.
const (
	Refuse Action = iota // it must not be: the session ends
	Ignore               // it crossed another frame
	Start                // it begins a request
	Take
)

// actions says what to do with which frame in which state. What is not here is
// refused. A fragment that is not the first has a row of its own.
var actions = [numTypes][numStates]Action{
	Call:  {ServedAbsent: Start},
	Open:  {ServedAbsent: Start},
	Reply: {IssuedCall: Take, IssuedGivenUp: Take},
	// What was sent before a stream was cut off may come after the word of that.
	Data: {ServedAbsent: Ignore, ServedStream: Take, IssuedAbsent: Ignore, IssuedStream: Take, IssuedGivenUp: Ignore},
	End:  {ServedAbsent: Ignore, ServedStream: Take, IssuedStream: Take, IssuedGivenUp: Take},
	Reset: {ServedAbsent: Ignore, ServedRequest: Take, ServedCall: Take, ServedStream: Take, ServedHalf: Take,
		IssuedCall: Take, IssuedStream: Take, IssuedGivenUp: Take},
	Credit: {ServedAbsent: Ignore, ServedStream: Take, ServedHalf: Take, IssuedStream: Take, IssuedGivenUp: Ignore},
}

// later is actions for the fragments of Call and Open after the first.
var later = [numStates]Action{ServedAbsent: Ignore, ServedRequest: Take}

// Decide says what to do with a frame that belongs to an id.
func Decide(h Header, s State) Action {
	if s >= numStates || h.Type >= numTypes {
		return Refuse
	}
	if (h.Type == Call || h.Type == Open) && h.Flags&First == 0 {
		return later[s]
	}
	return actions[h.Type][s]
}
