package importer

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huilu/internal/meeting"
	"huilu/internal/recording"
	"huilu/internal/tenant"
)

// archive is everything an importer writes to. What is to go wrong is set by name.
type archive struct {
	fails   map[string]error
	files   map[string]string // key → copy on disk
	folder  string
	topic   string
	started time.Time
	length  time.Duration
	result  recording.Result
	said    []string
}

func (a *archive) Put(_ context.Context, key, path string) error {
	kept := filepath.Join(a.folder, filepath.Base(key))
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(kept, text, 0o600)
	}
	if err == nil {
		err = a.fails["put "+filepath.Base(key)]
	}
	if err == nil {
		a.files[key] = kept
	}
	return err
}

func (a *archive) Delete(_ context.Context, key string) error { delete(a.files, key); return nil }

func (a *archive) Adopt(_ context.Context, _ tenant.User, topic string, startedAt time.Time, length time.Duration) (meeting.Meeting, error) {
	a.topic, a.started, a.length = topic, startedAt, length
	return meeting.Meeting{ID: 70}, a.fails["meeting"]
}

// recordings is the archive as the other package sees it: both have an Adopt.
type recordings struct{ *archive }

func (r recordings) Adopt(context.Context, meeting.Meeting) (recording.Recording, error) {
	return recording.Recording{ID: 7}, r.fails["recording"]
}

func (r recordings) Finish(_ context.Context, _ recording.ID, _ string, res recording.Result) error {
	r.result = res
	return r.fails["finish"]
}

func newArchive(t *testing.T) (*archive, *Importer) {
	a := &archive{fails: map[string]error{}, files: map[string]string{}, folder: t.TempDir()}
	return a, &Importer{
		Work: t.TempDir(), Meetings: a, Recordings: recordings{a}, Files: a, FFmpeg: "ffmpeg", FFprobe: "ffprobe",
		Within: func(ctx context.Context, f func(context.Context) error) error { return f(ctx) },
		Say:    func(s string) { a.said = append(a.said, s) },
	}
}

var owner = tenant.User{Tenant: "acme", Num: 1}

// film makes a small video with the arguments behind its picture and sound; - as the name sends it through a pipe.
func film(t *testing.T, name string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	all := append([]string{"-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=3", "-f", "lavfi", "-i", "sine=duration=3"}, args...)
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(all, "pipe:1")...)
	piped := len(args) > 1 && args[len(args)-2] == "-f"
	if !piped {
		cmd = exec.CommandContext(t.Context(), "ffmpeg", append(all, file)...)
	}
	out, err := cmd.Output()
	if err == nil && piped {
		err = os.WriteFile(file, out, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// text makes a file that is none of ffmpeg's.
func text(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

var h264 = []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"}

func TestVideosBecomeRecordings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file    func(*testing.T) string
		encoded bool
	}{
		"an MP4 is copied":                    {func(t *testing.T) string { return film(t, "talk.mp4", h264...) }, false},
		"so is the same in another container": {func(t *testing.T) string { return film(t, "talk.mkv", h264...) }, false},
		"and one without sound":               {func(t *testing.T) string { return film(t, "talk.mp4", append(h264, "-an")...) }, false},
		"a WebM is encoded":                   {func(t *testing.T) string { return film(t, "talk.webm", "-c:v", "libvpx", "-c:a", "libopus") }, true},
		"one from a browser, which has no length, too": {func(t *testing.T) string {
			return film(t, "talk.webm", "-c:v", "libvpx", "-c:a", "libopus", "-f", "webm")
		}, true},
		"odd sizes are made even": {func(t *testing.T) string {
			return film(t, "talk.avi", "-vf", "scale=161:91", "-c:v", "ffv1", "-c:a", "pcm_s16le")
		}, true},
		"colours that few players know are changed": {func(t *testing.T) string {
			return film(t, "talk.mp4", "-c:v", "libx264", "-pix_fmt", "yuv444p", "-c:a", "aac")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, im := newArchive(t)
			done, err := im.Import(t.Context(), Source{File: c.file(t), Owner: owner})
			if err != nil {
				t.Fatal(err)
			}
			if off := done.Duration - 3*time.Second; off < -200*time.Millisecond || off > 200*time.Millisecond {
				t.Errorf("it lasts %v, want 3 s", done.Duration)
			}
			if encoded := strings.Contains(strings.Join(a.said, "\n"), "encoding"); encoded != c.encoded {
				t.Errorf("said %q", a.said)
			}
			if a.topic != "talk" || a.length != done.Duration || a.result.Duration != done.Duration || len(done.Minute) != 24 || done.Meeting != 70 {
				t.Errorf("topic %q, %v, %+v, %+v", a.topic, a.length, a.result, done)
			}
			if age := time.Since(a.started.Add(a.length)); age < 0 || age > time.Minute {
				t.Errorf("it began at %v: not so that it ended when the file was written", a.started)
			}
			playable(t, im, a)
			if left, err := os.ReadDir(im.Work); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// playable checks that the stored file is what every player opens, with its index in front, and that there is a poster.
func playable(t *testing.T, im *Importer, a *archive) {
	t.Helper()
	v, err := im.probe(t.Context(), a.files[a.result.Minute.File])
	if err != nil || !v.copyable {
		t.Errorf("stored: %+v, %v", v, err)
	}
	head, err := os.ReadFile(a.files[a.result.Minute.File])
	if err != nil {
		t.Fatal(err)
	}
	if moov, mdat := strings.Index(string(head), "moov"), strings.Index(string(head), "mdat"); moov < 0 || moov > mdat {
		t.Error("the index is not in front")
	}
	if int64(len(head)) != a.result.Minute.Size || len(a.result.Minute.SHA256) != 64 {
		t.Errorf("%d bytes are noted as %+v", len(head), a.result.Minute)
	}
	if poster, err := os.ReadFile(a.files[a.result.Minute.Poster]); err != nil || !strings.HasPrefix(string(poster), "\xff\xd8") {
		t.Errorf("poster: %v, %.10q", err, poster)
	}
}

func TestWhatIsNoVideoLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	secret := text(t, "secret.txt", "a secret of this machine")
	for name, c := range map[string]struct {
		file func(*testing.T) string
		want string
	}{
		"a text":           {func(t *testing.T) string { return text(t, "talk.mp4", "this is not a video") }, "not a video file"},
		"nothing":          {func(t *testing.T) string { return text(t, "talk.mp4", "") }, "not a video file"},
		"a folder":         {func(t *testing.T) string { return t.TempDir() }, "not a video file"},
		"a file not there": {func(t *testing.T) string { return filepath.Join(t.TempDir(), "talk.mp4") }, "no such file"},
		"only sound":       {func(t *testing.T) string { return film(t, "song.m4a", "-vn", "-c:a", "aac") }, "not a video file"},
		"a song and its cover": {func(t *testing.T) string {
			return film(t, "song.m4a", "-c:a", "aac", "-c:v", "mjpeg", "-frames:v", "1", "-disposition:v", "attached_pic")
		}, "not a video file"},
		"a picture": {func(t *testing.T) string { return film(t, "picture.png", "-an", "-frames:v", "1") }, "not a video file"},
		"a list that names other files": {func(t *testing.T) string {
			return text(t, "talk.mp4", "ffconcat version 1.0\nfile "+film(t, "other.mp4", h264...)+"\n")
		}, "not a video file"},
		"a playlist": {func(t *testing.T) string {
			return text(t, "talk.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n"+secret+"\n#EXT-X-ENDLIST\n")
		}, "not a video file"},
		"half a video": {func(t *testing.T) string {
			whole, err := os.ReadFile(film(t, "talk.mkv", append(h264, "-b:v", "300k", "-t", "3")...))
			if err != nil {
				t.Fatal(err)
			}
			return text(t, "talk.mkv", string(whole[:len(whole)/10]))
		}, "the file is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, im := newArchive(t)
			_, err := im.Import(t.Context(), Source{File: c.file(t), Owner: owner})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want %q", err, c.want)
			}
			if left, err := os.ReadDir(im.Work); len(a.files) > 0 || err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v, %v", a.files, left, err)
			}
		})
	}
}

func TestAFailureAfterStoringRemovesWhatWasStored(t *testing.T) {
	t.Parallel()
	file := film(t, "talk.mp4", h264...)
	for _, step := range []string{"put recording.mp4", "put poster.jpg", "meeting", "recording", "finish"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			a, im := newArchive(t)
			a.fails[step] = errors.New("trouble")
			if _, err := im.Import(t.Context(), Source{File: file, Owner: owner}); err == nil || len(a.files) > 0 {
				t.Errorf("%v, left behind %v", err, a.files)
			}
		})
	}
}

func TestWhatIsAskedForIsCheckedBeforeTheWork(t *testing.T) {
	t.Parallel()
	file := text(t, "talk.mp4", "would fail later")
	for want, s := range map[string]Source{
		"started_at: must not be in the future":                  {StartedAt: time.Now().Add(time.Hour)},
		"topic: must have 1 to 255 characters on one line":       {Topic: strings.Repeat("x", meeting.MaxTopic+1)},
		"topic: must have 1 to 255 characters on one line\u200b": {Topic: "two\nlines"},
	} {
		_, im := newArchive(t)
		s.File, s.Owner = file, owner
		if _, err := im.Import(t.Context(), s); err == nil || err.Error() != strings.TrimSuffix(want, "\u200b") {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func TestTitlesComeFromFileNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Weekly.mp4": "Weekly", "周会 1.2.webm": "周会 1.2", ".mp4": ".mp4", "two\nlines.mp4": "two lines", "no extension": "no extension",
		strings.Repeat("长", 300) + ".mp4": strings.Repeat("长", meeting.MaxTopic), "bad\xff.mp4": "bad",
	} {
		s, err := Source{File: filepath.Join("folder", name)}.complete()
		if err != nil || s.Topic != want {
			t.Errorf("%q becomes %q, %v; want %q", name, s.Topic, err, want)
		}
	}
}

func TestAMissingFFmpegIsToldAsThat(t *testing.T) {
	t.Parallel()
	file := film(t, "talk.mp4", h264...)
	_, im := newArchive(t)
	im.FFprobe = filepath.Join(t.TempDir(), "ffprobe")
	if _, err := im.Import(t.Context(), Source{File: file, Owner: owner}); err == nil || errors.Is(err, ErrNotVideo) || !strings.Contains(err.Error(), "install ffmpeg") {
		t.Errorf("%v", err)
	}
}

func TestAnImportThatIsInterruptedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	file := film(t, "talk.webm", "-c:v", "libvpx", "-c:a", "libopus")
	a, im := newArchive(t)
	ctx, stop := context.WithCancel(t.Context())
	im.Say = func(s string) {
		if strings.Contains(s, "encoding") {
			stop()
		}
	}
	_, err := im.Import(ctx, Source{File: file, Owner: owner})
	if left, _ := os.ReadDir(im.Work); !errors.Is(err, context.Canceled) || len(a.files) > 0 || len(left) > 0 {
		t.Errorf("%v, left behind %v %v", err, a.files, left)
	}
}
