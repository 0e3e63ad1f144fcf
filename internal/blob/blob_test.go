package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huilu/internal/blob"
)

// place is somewhere files can be kept; every promise holds in all of them. S3 gets its line here in the stage that scales out.
type place struct {
	name string
	open func(t *testing.T) *blob.Bucket
}

var places = []place{
	{"folder", func(t *testing.T) *blob.Bucket { return openFolder(t, t.TempDir()) }},
}

func each(t *testing.T, test func(t *testing.T, b *blob.Bucket)) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) { t.Parallel(); test(t, p.open(t)) })
	}
}

func openFolder(t *testing.T, dir string) *blob.Bucket {
	t.Helper()
	b, err := blob.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

const key = "5f0c8e1b2a3d4c5e/6911188411934433028/recording.mp4"

// file makes a local file with content.
func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func put(t *testing.T, b *blob.Bucket, key, content string) {
	t.Helper()
	if err := b.Put(t.Context(), key, file(t, []byte(content))); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, b *blob.Bucket, key string) string {
	t.Helper()
	r, _, size, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil || int64(len(content)) != size {
		t.Fatalf("read %d of %d bytes, %v", len(content), size, err)
	}
	return string(content)
}

func TestStoredFileComesBackWhole(t *testing.T) {
	each(t, func(t *testing.T, b *blob.Bucket) {
		content := strings.Repeat("0123456789abcdef", 10_000)
		put(t, b, key, content)
		if read(t, b, key) != content {
			t.Error("the file came back changed")
		}
		r, changed, _, err := b.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if age := time.Since(changed); age < -time.Minute || age > time.Hour {
			t.Errorf("changed %v ago, want just now", age)
		}
	})
}

func TestPlayersCanSeek(t *testing.T) {
	each(t, func(t *testing.T, b *blob.Bucket) {
		put(t, b, key, "0123456789")
		for header, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-1": "9", "bytes=0-0": "0"} {
			r, changed, _, err := b.Open(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			req, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			req.Header.Set("Range", header)
			http.ServeContent(w, req, "recording.mp4", changed, r)
			if w.Code != http.StatusPartialContent || w.Body.String() != want {
				t.Errorf("%s: %d %q, want 206 %q", header, w.Code, w.Body, want)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestReaderOutlivesTheContextItWasOpenedWith(t *testing.T) {
	each(t, func(t *testing.T, b *blob.Bucket) {
		put(t, b, key, "still here")
		ctx, cancel := context.WithCancel(t.Context())
		r, _, _, err := b.Open(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cancel()
		if content, err := io.ReadAll(r); err != nil || string(content) != "still here" {
			t.Errorf("%q, %v", content, err)
		}
	})
}

func TestStoringAgainReplaces(t *testing.T) {
	each(t, func(t *testing.T, b *blob.Bucket) {
		put(t, b, key, "first, and longer")
		put(t, b, key, "second")
		if got := read(t, b, key); got != "second" {
			t.Errorf("%q", got)
		}
	})
}

func TestPutThatIsCutShortChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, b *blob.Bucket) {
		put(t, b, key, "old")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Put(ctx, key, file(t, []byte("new"))); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want canceled", err)
		}
		if err := b.Put(t.Context(), key, filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want not exist", err)
		}
		if got := read(t, b, key); got != "old" {
			t.Errorf("%d bytes are there now", len(got))
		}
	})
}

func TestDeletedFileIsGone(t *testing.T) {
	each(t, func(t *testing.T, b *blob.Bucket) {
		put(t, b, key, "x")
		if ok, err := b.Exists(t.Context(), key); !ok || err != nil {
			t.Errorf("exists %v, %v before", ok, err)
		}
		if err := b.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
		if ok, err := b.Exists(t.Context(), key); ok || err != nil {
			t.Errorf("exists %v, %v after", ok, err)
		}
		if _, _, _, err := b.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("open: %v, want ErrNotFound", err)
		}
		if err := b.Delete(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("delete again: %v, want ErrNotFound", err)
		}
	})
}

func TestOnlyKeysMadeOfIdsAreTaken(t *testing.T) {
	each(t, func(t *testing.T, b *blob.Bucket) {
		source := file(t, []byte("x"))
		for _, k := range []string{"", ".", "/etc/passwd", "../up", "a/../../up", "a//b", "a/", "Capital", "sp ace", "per%cent", "back\\slash", "nul\x00", "ümlaut"} {
			if err := b.Put(t.Context(), k, source); !errors.Is(err, blob.ErrKey) {
				t.Errorf("%q: %v, want ErrKey", k, err)
			}
		}
	})
}

func TestFolderHoldsTheFilesAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openFolder(t, dir)
	put(t, b, "a/1/recording.mp4", "x")
	put(t, b, "a/1/poster.jpg", "y")
	put(t, b, "b/2/recording.mp4", "z")
	dead, alive := filepath.Join(dir, "a/1/poster.jpg.part-00"), filepath.Join(dir, "a/1/poster.jpg.part-01")
	for _, p := range []string{dead, alive} {
		if err := os.WriteFile(p, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(dead, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	put(t, b, "a/1/poster.jpg", "again")
	want := "a/1/poster.jpg a/1/poster.jpg.part-01 a/1/recording.mp4 b/2/recording.mp4"
	if got := strings.Join(files(t, dir), " "); got != want {
		t.Errorf("the folder holds %s, want %s: what a dead writer left goes, what a living one writes stays", got, want)
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The child of the test below stores this file over the old one.
const childFolder = "HUILU_BLOB_TEST_FOLDER"

func TestKilledWriterLeavesTheOldFileOrTheNewOne(t *testing.T) {
	const size = 128 << 20
	if dir := os.Getenv(childFolder); dir != "" {
		if err := openFolder(t, dir).Put(t.Context(), key, filepath.Join(dir, "source")); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	b := openFolder(t, dir)
	put(t, b, key, "old")
	if err := os.WriteFile(filepath.Join(dir, "source"), bytes.Repeat([]byte("n"), size), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		parts, _ := filepath.Glob(filepath.Join(dir, filepath.Dir(key), "*.part-*"))
		if len(parts) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the child never began to write")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the error says that it was killed
	if got := read(t, b, key); got != "old" && len(got) != size {
		t.Errorf("%d bytes are there, neither the old file nor the new one", len(got))
	}
}
