// Package library is what people find of their meetings: one line for each, with what became of its recording.
//
// It joins what packages meeting and recording know, for reading only; the pages show it and the store finds it.
package library

import (
	"time"

	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// Line is one meeting of a person, or a reserve that waits for its first.
type Line struct {
	ID           int64 // of the meeting, else of the reserve; both count up with time
	Meeting      int64 // zero for a reserve that waits
	No, Topic    string
	Status       meeting.Status // Calling for a reserve that waits
	Owner        tenant.UserNum
	StartedAt    time.Time // zero before somebody arrived
	EndedAt      time.Time // zero before the end
	Participants int       // people who were in it, each stay of a guest counting as one

	// Of the recording; State is empty when there is none.
	State    recording.State
	Minute   string
	Duration time.Duration
	Progress float64 // of the composition, 0 to 1
	Cause    string  // why it failed
}
