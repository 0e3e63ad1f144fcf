package compose

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lane is sound that does not overlap: clips one behind the other. Mixing costs by the number of lanes, so that people who
// come, go and come again share one.
type lane []clip

// laneRest is the silence there must be between two clips of a lane: the length of the longest packet.
const laneRest = int64(120e6)

// halfPacket is half of what most packets last: one belongs to a clip when its middle does. Times are a millisecond or so
// uncertain, and the first packet of a word must not get lost by that.
const halfPacket = int64(10e6)

// lanes packs all sound of a story into as few lanes as it takes.
func lanes(people []*person) (all []lane) {
	var clips []clip
	for _, who := range people {
		clips = append(clips, who.voice...)
	}
	slices.SortStableFunc(clips, func(a, b clip) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.media.log, b.media.log))
	})
next:
	for _, c := range clips {
		for i, l := range all {
			if l[len(l)-1].to+laneRest <= c.from {
				all[i] = append(l, c)
				continue next
			}
		}
		all = append(all, lane{c})
	}
	return all
}

// soundArgs are the encoder's. 128 kbit/s is transparent for speech in stereo.
var soundArgs = []string{"-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2"}

// mixer makes the sound of the whole recording, in one piece.
type mixer struct {
	tools tools
	story *story
	jobs  string
	sound string // folder of finished sound
}

// mix returns the sound's file, as long as the picture. A lane that cannot be mixed is left out and told as a defect.
func (m *mixer) mix(ctx context.Context) (file string, defects []Defect, err error) {
	dir, err := os.MkdirTemp(m.jobs, "sound-")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(dir)
	all := lanes(m.story.people)
	h := sha256.New()
	fmt.Fprintf(h, "%s|%v|%d|", version, soundArgs, m.story.frames())
	files := make([]string, len(all))
	for i, l := range all {
		files[i] = filepath.Join(dir, fmt.Sprintf("lane-%03d.mkv", i))
		sum, err := m.write(l, files[i])
		if err != nil {
			return "", nil, fmt.Errorf("sound of lane %d: %w", i, err)
		}
		h.Write(sum)
	}
	file = filepath.Join(m.sound, hex.EncodeToString(h.Sum(nil)[:16])+".m4a")
	if _, err := os.Stat(file); err == nil {
		return file, nil, nil
	}
	temp := filepath.Join(dir, "sound.m4a")
	if err = m.encode(ctx, files, temp); err != nil && !surroundings(err) {
		if files, defects = m.sieve(ctx, all, files); len(defects) == 0 {
			return "", nil, err
		}
		file = strings.TrimSuffix(file, ".m4a") + "-part.m4a" // the next attempt may have more luck
		err = m.encode(ctx, files, temp)
	}
	if err != nil {
		return "", nil, err
	}
	return file, defects, errors.Join(syncFile(temp), os.Rename(temp, file))
}

// write writes a lane as a file with its place in the recording as time, and returns a hash of it.
func (m *mixer) write(l lane, name string) (sum []byte, err error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(f, 1<<16)
	out, err := newMKV(buffered, mkvTrack{codec: "A_OPUS", private: opusHead()})
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	var data []byte
	for _, c := range l {
		from, err := c.media.find(c.from - halfPacket)
		if err != nil {
			return nil, err
		}
		end, err := c.media.find(c.to - halfPacket)
		if err != nil {
			return nil, err
		}
		for e, err := range c.media.entries(from, end) {
			if err != nil {
				return nil, err
			}
			if data, err = c.media.payload(e, data); err != nil {
				return nil, err
			}
			at := m.story.exactly(e.at)
			h.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(at)), e.sum))
			if err := out.write(at, true, data); err != nil {
				return nil, err
			}
		}
	}
	return h.Sum(nil), errors.Join(out.flush(), buffered.Flush())
}

// exactly returns where in the file a time of day is, without rounding to frames.
func (s *story) exactly(at int64) time.Duration {
	for _, p := range s.parts {
		if at < p.to {
			return position(p.first) + time.Duration(max(at-p.from, 0))
		}
	}
	return position(s.frames())
}

// encode mixes the lanes. Gaps are filled with silence at once (min_hard_comp), so that lost packets and pauses do not
// stretch what follows; slow drift is followed by resampling.
func (m *mixer) encode(ctx context.Context, files []string, out string) error {
	whole := position(m.story.frames())
	length := strconv.FormatFloat(whole.Seconds(), 'f', 6, 64)
	a := []string{"-nostdin", "-hide_banner", "-v", "error", "-y", "-copyts", "-filter_complex_threads", "1"}
	for _, f := range files {
		a = append(a, "-threads", "1", "-i", f)
	}
	a = append(a, "-filter_complex", mixFilters(len(files), length), "-map", "[sound]", "-t", length)
	a = append(append(a, soundArgs...), "-threads", "1", "-f", "mp4", out)
	_, err := m.tools.run(ctx, command{program: m.tools.ffmpeg, args: a, limit: 5*time.Minute + 3*whole})
	return err
}

func mixFilters(n int, length string) string {
	var b strings.Builder
	if n == 0 {
		return "anullsrc=r=48000:cl=stereo[sound]"
	}
	for i := range n {
		fmt.Fprintf(&b, "[%d:a]aresample=48000:async=1000:min_hard_comp=0.015:first_pts=0", i)
		fmt.Fprintf(&b, ",aformat=sample_fmts=fltp:channel_layouts=stereo[a%d];", i)
	}
	for i := range n {
		fmt.Fprintf(&b, "[a%d]", i)
	}
	fmt.Fprintf(&b, "amix=inputs=%d:normalize=0:duration=longest,alimiter=limit=0.95:level=disabled:latency=1", n)
	fmt.Fprintf(&b, ",apad=whole_dur=%s[sound]", length)
	return b.String()
}

// sieve decodes each lane by itself and returns those that can be.
func (m *mixer) sieve(ctx context.Context, all []lane, files []string) (good []string, defects []Defect) {
	for i, f := range files {
		_, err := m.tools.run(ctx, command{program: m.tools.ffmpeg, limit: 5*time.Minute + position(m.story.frames()),
			args: []string{"-nostdin", "-v", "error", "-xerror", "-threads", "1", "-i", f, "-f", "null", "-"}})
		if err == nil {
			good = append(good, f)
			continue
		}
		for _, c := range all[i] {
			defects = append(defects, Defect{Kind: DefectSound, At: m.story.place(c.from), Duration: time.Duration(c.to - c.from),
				Participant: c.media.ParticipantID, Track: c.media.SID, Detail: "sound cannot be decoded: " + err.Error()})
		}
	}
	return good, defects
}
