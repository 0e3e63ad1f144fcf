package compose

import (
	"errors"
	"time"
)

// The shape of every result.
const (
	Width     = 1280 // pixels
	Height    = 720  // pixels
	FrameRate = 30   // pictures per second, constant

	// shortest is what a recording must last to be one.
	shortest = 5 * time.Second
	// longest is what a recording can last. More means that a clock jumped while it ran.
	longest = 24 * time.Hour

	// version goes into every window's name: raise it when the same input would look different.
	version = "1"
)

// Input says what to compose and where.
type Input struct {
	Capture  string         // the capture folder; only read
	Work     string         // windows and other steps; may be deleted at any time, used again after a crash
	Out      string         // where recording.mp4 and poster.jpg appear, whole or not at all
	Topic    string         // title of the file, and what is shown while nobody is there
	Timezone *time.Location // for the date shown while nobody is there; nil means UTC
	Gentle   bool           // meetings are live on this machine: lowest priority, one thread, one process
}

// Result describes a recording that passed every check.
type Result struct {
	File         string // path of the MP4: 1280x720, 30 pictures per second, H.264, AAC 48 kHz stereo, index in front
	Poster       string // path of a JPEG of the same size
	Duration     time.Duration
	Size         int64  // bytes of File
	SHA256       string // of File, hex
	Checks       []Check
	Defects      []Defect // in the order of their time; empty when everything that was sent is in the file
	Participants []Participant
	StartedAt    time.Time // when the first part began, UTC
	Windows      Windows
}

// Windows counts the pieces the picture was made of.
type Windows struct {
	Total  int
	Reused int // made by an earlier attempt
}

// Participant is a person that was there while the recording ran.
type Participant struct {
	ID     string
	Name   string
	Joined time.Duration // position in the file at which the person first appears
	Left   time.Duration // and at which the person is last seen
}

// Check is one look at the finished file.
type Check struct {
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	Measured string `json:"measured"`
	Limit    string `json:"limit"`
}

// DefectKind names what is wrong with a part of a recording that is otherwise good.
type DefectKind string

// The kinds of defects.
const (
	DefectCodec      DefectKind = "codec"      // the track's codec is not one we can read
	DefectCorrupt    DefectKind = "corrupt"    // bytes of the capture are damaged
	DefectMissing    DefectKind = "missing"    // published and not muted, but nothing of it was captured
	DefectFrozen     DefectKind = "frozen"     // no decodable picture for a while: packets were lost
	DefectDecode     DefectKind = "decode"     // the decoder complained
	DefectWindow     DefectKind = "window"     // a window could not be composed and shows names instead
	DefectSound      DefectKind = "sound"      // a track's sound had to be left out
	DefectTruncated  DefectKind = "truncated"  // packets did not reach the disk while recording
	DefectUnfinished DefectKind = "unfinished" // the recorder died: the end is where the last packet was
)

// Defect is something that is missing from the file although it was sent. The file is good otherwise.
type Defect struct {
	Kind        DefectKind    `json:"kind"`
	At          time.Duration `json:"at"`       // position in the file
	Duration    time.Duration `json:"duration"` // zero when it is not known or not a stretch
	Participant string        `json:"participant,omitempty"`
	Track       string        `json:"track,omitempty"` // the SFU's id of the track
	Detail      string        `json:"detail"`
}

// Progress tells how far a composition is.
type Progress struct {
	Step string        // "convert", "compose", "join", "check"
	Done float64       // 0 to 1 over all steps
	At   time.Duration // how much of the picture is composed
	Of   time.Duration // how much there is
}

// ErrEmpty means that there is nothing to make a recording of: nothing was published, or all parts together are shorter
// than five seconds.
var ErrEmpty = errors.New("compose: nothing was recorded")

// InputError is a failure that trying again cannot mend: something is wrong with what was captured.
type InputError struct {
	Cause string // a sentence for the recording's owner
	Err   error  // for the log; may be nil
}

func (e *InputError) Error() string {
	if e.Err == nil {
		return "compose: " + e.Cause
	}
	return "compose: " + e.Cause + ": " + e.Err.Error()
}

func (e *InputError) Unwrap() error { return e.Err }
