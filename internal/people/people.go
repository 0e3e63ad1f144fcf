// Package people makes WebRTC people: clients that join a room and publish a
// generated camera and microphone, for the demo, for tests and for benchmarks.
//
// What they show and sound is made so that a recording can be measured (see
// people/mark): a picture in the person's own colour with a name, a clock for
// people, a clock for machines, and a lamp that flashes at each whole second
// together with a beep in the person's own pitch.
//
//	Person --Prepare--> Media (H.264 or VP8 frames, Opus packets, one loop)
//	Media  --Join-----> Session (one room, camera and microphone in real time)
//
// Prepare draws and encodes the loop once, with ffmpeg, and keeps it in a
// folder; publishing then costs as little as sending packets, so that several
// people and the server they load fit on one small machine.
//
// All people share one clock. Frame n of a loop belongs to the instant
// epoch+n/fps, also when it is sent late, and RTP time is a function of that
// instant alone. So all flashes and beeps of a room are simultaneous, and what
// a recording shows of the difference is the recording's own doing.
package people

import (
	"fmt"
	"strings"

	"huilu/internal/people/mark"
)

// Person is who appears, and in which form.
type Person struct {
	Name  string // shown in the picture, in any script
	Index int    // 0 … mark.MaxPeople-1: decides colour, tone and the number in the clock strip

	Codec         string // "h264" (default) or "vp8"
	Width, Height int    // default 1280x720; 16:9 and even
	FPS           int    // default 30; one of the rates that package mark knows, and a divisor of 90000
}

// Tone is the frequency of the person's beep in Hz.
func (p Person) Tone() float64 { return mark.Tone(p.Index) }

// complete fills in the defaults and checks the rest.
func (p Person) complete() (Person, error) {
	p.Codec = strings.ToLower(p.Codec)
	if p.Codec == "" {
		p.Codec = "h264"
	}
	if p.Width == 0 && p.Height == 0 {
		p.Width, p.Height = 1280, 720
	}
	if p.FPS == 0 {
		p.FPS = 30
	}
	switch {
	case p.Codec != "h264" && p.Codec != "vp8":
		return p, fmt.Errorf("person %q: codec %q is neither h264 nor vp8", p.Name, p.Codec)
	case p.Width < 160 || p.Width > 3840 || p.Width%2 != 0 || p.Height%2 != 0 || p.Width*9 != p.Height*16:
		return p, fmt.Errorf("person %q: %dx%d is not an even 16:9 size from 160x90 to 3840x2160", p.Name, p.Width, p.Height)
	case !mark.RateKnown(p.FPS):
		return p, fmt.Errorf("person %q: %d frames per second are not among the supported rates", p.Name, p.FPS)
	case p.Index < 0 || p.Index >= mark.MaxPeople:
		return p, fmt.Errorf("person %q: index %d is not in 0 … %d", p.Name, p.Index, mark.MaxPeople-1)
	}
	return p, nil
}
