package examine

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"time"
)

// Options say what a file is expected to be. The zero value expects a sound
// file and nothing in particular in it.
type Options struct {
	// Tiles are all places where a picture may be, for instance those of every
	// layout of a composer. Without any, pictures are searched for.
	Tiles []image.Rectangle
	// Loop is after how long the cameras' clocks begin again; 0 is never.
	Loop time.Duration
	// Duration is how long the file should be by the wall clock; 0 is any.
	Duration time.Duration
	// Cuts is how often recording was stopped and started again within the file.
	Cuts int
	// People are those who should be seen and heard. Nil expects nobody and
	// forbids nobody; otherwise anybody else is a stranger.
	People []Expected
	// Progress, if set, is told how far the examination is, from 0 to 1.
	Progress func(done float64)
}

// Expected is a person who should be in the file.
type Expected struct {
	Index int
	Name  string
	Seen  []Interval // when the picture should be visible; no other time, except shortly before each (see early)
	Heard []Interval // when the beeps should be heard
}

// Report is the result of an examination.
type Report struct {
	File        string     `json:"file"`
	Probe       *Probe     `json:"probe"`
	Frames      int        `json:"frames"`    // pictures that were decoded
	Complaint   string     `json:"complaint"` // of the decoders; empty for a sound file
	People      []Person   `json:"people"`
	Blank       []Interval `json:"blank"`             // black, or nothing but a colour
	LongestHold Seconds    `json:"longest_hold_s"`    // for which the whole picture did not change
	HoldAt      Seconds    `json:"longest_hold_at_s"` // and when that began
	Checks      []Check    `json:"checks"`
}

// OK reports whether every check is good.
func (r *Report) OK() bool { return len(r.Bad()) == 0 }

// Bad lists the checks that are not good.
func (r *Report) Bad() []Check {
	return slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.OK })
}

// String is the checks, one in a line.
func (r *Report) String() string {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintln(&b, c)
	}
	return b.String()
}

// Person returns what is known of a person, or nil when nobody with that index
// was seen or heard.
func (r *Report) Person(index int) *Person {
	for i := range r.People {
		if r.People[i].Index == index {
			return &r.People[i]
		}
	}
	return nil
}

// Examine reads all of a file and judges it. An error means that it could not
// be examined at all; what is wrong with the file is in the report.
func Examine(ctx context.Context, file string, o Options) (*Report, error) {
	if o.Progress == nil {
		o.Progress = func(float64) {}
	}
	probe, err := ProbeFile(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("examine: %w", err)
	}
	r := &Report{File: file, Probe: probe}
	e, err := r.lookAt(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("examine %s: %w", file, err)
	}
	beeps, err := r.listenTo(ctx)
	if err != nil {
		return nil, fmt.Errorf("examine %s: %w", file, err)
	}
	r.meet(e, beeps)
	r.judge(o)
	o.Progress(1)
	return r, nil
}

// fleeting is in how many frames somebody has to be recognised to be somebody:
// by chance, one unreadable strip in 256 reads as another one.
const fleeting = 3

// meet puts together what was seen and heard of each person.
func (r *Report) meet(e *eye, beeps []Beep) {
	for _, b := range beeps {
		if e.people[b.Index] == nil {
			e.people[b.Index] = &tracker{index: b.Index}
		}
	}
	for _, t := range e.people {
		if p := t.person(beeps); len(p.seen) >= fleeting || len(p.Beeps) > 0 {
			r.People = append(r.People, p)
		}
	}
	slices.SortFunc(r.People, func(a, b Person) int { return cmp.Compare(a.Index, b.Index) })
	r.Frames, r.Blank = e.frames, e.blank.list
	r.LongestHold, r.HoldAt = e.frozen.Longest, e.frozen.At
}

// judge makes the checks.
func (r *Report) judge(o Options) {
	r.judgeFile(o)
	if o.People == nil {
		return
	}
	known := map[int]bool{}
	for _, want := range o.People {
		known[want.Index] = true
		r.judgePerson(want, o.Cuts)
	}
	var strangers []string
	for _, p := range r.People {
		if !known[p.Index] {
			strangers = append(strangers, fmt.Sprintf("number %d seen %v, %d beeps", p.Index, p.Visible, len(p.Beeps)))
		}
	}
	r.add(none("people nobody invited", len(strangers), "people", "only those who joined can be in it", strings.Join(strangers, "; ")))
	r.judgeTogether(o)
}

func (r *Report) add(c ...Check) { r.Checks = append(r.Checks, c...) }

// judgeFile checks what every recording has to be.
func (r *Report) judgeFile(o Options) {
	video, audio := r.Probe.Stream("video"), r.Probe.Stream("audio")
	r.add(none("index behind the media", count(!r.Probe.FastStart), "files",
		"a player has to have the index before it can begin", strings.Join(r.Probe.Boxes, " ")))
	r.add(none("streams that are missing", count(video == nil)+count(audio == nil), "streams", "a recording has picture and sound", ""))
	r.add(none("complaints of the decoders", count(r.Complaint != ""), "decoders", "a sound file decodes in silence", r.Complaint))
	if video == nil || audio == nil {
		return
	}
	r.add(
		none("decoding times out of order", video.Disorder+audio.Disorder, "packets", "players decode in the order of the file", ""),
		none("presentation times shared", video.Doubled+audio.Doubled, "packets", "of two frames with one time, one is never shown", ""),
		limitGap.check("gap in the picture", ms(video.LongStep-video.Step), ""),
		none("frames that did not decode", max(video.Packets-r.Frames, r.Frames-video.Packets), "frames", "each packet of video is one picture", ""),
		limitEnds.check("picture and sound end apart", math.Abs(ms(video.End-audio.End)), fmt.Sprintf("%v and %v", video.End, audio.End)),
	)
	blank := Seconds(0)
	for _, i := range r.Blank {
		blank += i.Length()
	}
	frame := 1 / max(video.FrameRate, 1)
	r.add(none("blank pictures", int(math.Round(float64(blank)/frame)), "frames",
		"somebody or a name is always in the picture", fmt.Sprint(r.Blank)))
	if o.Duration > 0 {
		d := max(video.End, audio.End) - Seconds(o.Duration.Seconds())
		r.add(limitDuration.check("length against the wall clock", math.Abs(ms(d)),
			fmt.Sprintf("%v of %v", max(video.End, audio.End), Seconds(o.Duration.Seconds()))))
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// judgePerson checks one person against what was expected.
func (r *Report) judgePerson(want Expected, cuts int) {
	p := r.Person(want.Index)
	if p == nil {
		p = &Person{Index: want.Index}
	}
	name := func(what string) string { return what + " of " + want.Name }
	var expected, seen, stray Seconds
	for _, i := range want.Seen {
		expected += i.Length()
		seen += i.covered(p.Visible)
	}
	for _, i := range p.Visible {
		stray += i.Length() - i.covered(allowed(want.Seen))
	}
	r.add(limitMissing.check(name("picture missing"), ms(expected-seen), fmt.Sprintf("seen %v", p.Visible)))
	r.add(limitStray.check(name("picture when there should be none"), ms(stray), fmt.Sprintf("expected %v", want.Seen)))
	r.add(limitSilence.check(name("longest silence"), ms(silence(p.Beeps, want.Heard)), fmt.Sprintf("%d beeps", len(p.Beeps))))
	if expected > 0 {
		r.add(limitStill.check(name("longest still picture"), ms(stillest(p.Still, want.Seen)), fmt.Sprint(p.Still)))
		r.add(none(name("jumps of the clock"), max(0, len(p.Clock)-1-cuts), "jumps",
			"within one part of a recording a picture is always as far behind as the one before", fmt.Sprint(p.Clock)))
		r.judgeClock(p, name)
	}
	if expected > 0 && len(want.Heard) > 0 {
		r.judgeSync(p, name)
	}
}

// early is how long before an expected interval the picture may already be
// there: whoever states an interval begins it where the picture is sure to be,
// and before that are a key frame to wait for and a climb to full size.
const early = Seconds(2)

// allowed is the expected intervals, in order, each begun early but not before
// the end of its predecessor.
func allowed(seen []Interval) []Interval {
	list := slices.SortedFunc(slices.Values(seen), func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	for i := range list {
		list[i].From -= early
		if i > 0 {
			list[i].From = max(list[i].From, list[i-1].To)
		}
	}
	return list
}

// judgeSync checks flashes against beeps. Without a pair there is nothing to
// measure, and that is not good.
func (r *Report) judgeSync(p *Person, name func(string) string) {
	worst, typical := math.Abs(ms(p.Sync.Worst)), math.Abs(ms(p.Sync.Median))
	detail := fmt.Sprintf("%d pairs, median %+.1f ms, by the clock %+.1f ms", p.Sync.Pairs, ms(p.Sync.Median), ms(p.Sync.Fine))
	if p.Sync.Pairs == 0 {
		worst, typical, detail = 1000, 1000, "no flash has a beep"
	}
	r.add(limitSync.check(name("flash and beep apart, worst"), worst, detail))
	r.add(limitSyncMedian.check(name("flash and beep apart, median"), typical, ""))
}

// judgeClock checks that the person's clock runs as the file does, in every
// stretch that is long enough to tell: below some seconds a line through the
// frames follows their grid instead of averaging it out.
func (r *Report) judgeClock(p *Person, name func(string) string) {
	worst, long := Stretch{}, false
	for _, s := range p.Clock {
		if s.Length() >= 3 && (!long || math.Abs(float64(s.Drift)) > math.Abs(float64(worst.Drift))) {
			worst, long = s, true
		}
	}
	if long {
		r.add(limitDrift.check(name("drift of the clock"), math.Abs(ms(worst.Drift)), fmt.Sprintf("over %v", worst.Length())))
	}
}

// stillest is the longest part of a still picture that lies in an expected
// interval. After its end a picture may stand until the server notices.
func stillest(still, expected []Interval) Seconds {
	longest := Seconds(0)
	for _, s := range still {
		for _, e := range expected {
			longest = max(longest, s.common(e).Length())
		}
	}
	return longest
}

// silence is the longest time without a beginning of a beep in any interval.
func silence(beeps []Beep, expected []Interval) Seconds {
	longest := Seconds(0)
	for _, i := range expected {
		last := i.From
		for _, b := range beeps {
			if b.At >= i.From && b.At < i.To {
				longest, last = max(longest, b.At-last), b.At
			}
		}
		longest = max(longest, i.To-last)
	}
	return longest
}

// judgeTogether checks that people's clocks agree with one another, by what is
// shown of two at one time, and so do their voices.
func (r *Report) judgeTogether(o Options) {
	if len(o.People) < 2 {
		return
	}
	var seen, heard pair
	for i, a := range r.People {
		for _, b := range r.People[i+1:] {
			seen.worse(a, b)(apart(a, b, o.Loop.Seconds()))
			heard.worse(a, b)(voicesApart(a, b))
		}
	}
	r.add(limitApart.check("clocks of two people apart", math.Abs(ms(seen.by)), seen.who))
	r.add(limitVoices.check("voices of two people apart", math.Abs(ms(heard.by)), heard.who))
}

// pair is the two people who are farthest apart.
type pair struct {
	by  Seconds
	who string
}

// worse takes what was measured of two people, if it was.
func (p *pair) worse(a, b Person) func(by Seconds, measured bool) {
	return func(by Seconds, measured bool) {
		if measured && math.Abs(float64(by)) > math.Abs(float64(p.by)) {
			p.by, p.who = by, fmt.Sprintf("numbers %d and %d", a.Index, b.Index)
		}
	}
}
