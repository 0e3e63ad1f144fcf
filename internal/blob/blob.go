// Package blob keeps finished files: in a folder by default, in S3 for more.
//
// Keys are made by the server from ids ("<tenant>/<recording>/recording.mp4"), never from what people type. A file
// appears whole or not at all; storing under a key again replaces it. The folder holds the files under
// their keys and nothing else, so a backup of it is a backup of the recordings.
//
//	file:///srv/huilu/blobs
//	s3://bucket?region=…&endpoint=…    credentials as the AWS SDK finds them
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"
)

// ErrNotFound means that there is no file under a key.
var ErrNotFound = errors.New("no such file")

// ErrKey means that a key is not made of ids: a mistake of this program, which must not reach the disk.
var ErrKey = errors.New("not a key for files")

// isKey accepts lower-case letters, digits, dots, dashes and underlines between
// slashes: what ids and our file names are made of, and what every file system and S3 take unchanged.
func isKey(key string) bool {
	return fs.ValidPath(key) && key != "." && !strings.ContainsFunc(key, func(c rune) bool {
		return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("._-/", c))
	})
}

// Bucket is an open place for files. It is safe for concurrent use.
type Bucket struct {
	b      *blob.Bucket
	folder *os.Root // nil for S3
}

// Open opens the place a URL names; a folder is made when it is missing.
func Open(ctx context.Context, address string) (*Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("place for files %q: %w", address, err)
	}
	bucket := &Bucket{}
	if u.Scheme == "file" {
		if err := os.MkdirAll(u.Path, 0o700); err != nil {
			return nil, fmt.Errorf("place for files: %w", err)
		}
		if bucket.folder, err = os.OpenRoot(u.Path); err != nil {
			return nil, fmt.Errorf("place for files: %w", err)
		}
		q := u.Query()
		q.Set("metadata", "skip") // no files beside the files
		u.RawQuery = q.Encode()
	}
	if bucket.b, err = blob.OpenBucket(ctx, u.String()); err != nil {
		return nil, errors.Join(fmt.Errorf("place for files %s: %w", u.Redacted(), err), bucket.closeFolder())
	}
	return bucket, nil
}

// Put stores a copy of the local file under key, in the place of what was there
// before. When it returns nil the file is there, whole, and stays so through a power cut.
func (b *Bucket) Put(ctx context.Context, key, file string) error {
	if !isKey(key) {
		return fmt.Errorf("store %q: %w", key, ErrKey)
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	defer f.Close()
	if b.folder != nil {
		if err := putFile(ctx, b.folder, key, f); err != nil {
			return fmt.Errorf("store %s: %w", key, err)
		}
		return nil
	}
	return b.upload(ctx, key, f)
}

// upload writes to S3, where a file appears when its writer is closed and is durable then.
func (b *Bucket) upload(ctx context.Context, key string, f *os.File) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before Close: throws away what is half written
	w, err := b.b.NewWriter(ctx, key, &blob.WriterOptions{ContentType: mime.TypeByExtension(path.Ext(key))})
	if err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	if _, err := io.Copy(w, f); err != nil {
		cancel()
		return errors.Join(fmt.Errorf("store %s: %w", key, err), w.Close())
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	return nil
}

// Open returns a file with the time it was last changed and its size in bytes.
// The reader stays good until it is closed, whatever becomes of ctx. ErrNotFound when there is none.
func (b *Bucket) Open(ctx context.Context, key string) (r io.ReadSeekCloser, changed time.Time, size int64, err error) {
	reader, err := b.b.NewReader(context.WithoutCancel(ctx), key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, time.Time{}, 0, fmt.Errorf("%s: %w", key, ErrNotFound)
	} else if err != nil {
		return nil, time.Time{}, 0, fmt.Errorf("open %s: %w", key, err)
	}
	return reader, reader.ModTime(), reader.Size(), nil
}

// Exists reports whether there is a file under key.
func (b *Bucket) Exists(ctx context.Context, key string) (bool, error) {
	ok, err := b.b.Exists(ctx, key)
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", key, err)
	}
	return ok, nil
}

// Delete removes a file; ErrNotFound when there is none.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	err := b.b.Delete(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%s: %w", key, ErrNotFound)
	} else if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// Close closes the place. Files that are open stay so.
func (b *Bucket) Close() error { return errors.Join(b.b.Close(), b.closeFolder()) }

func (b *Bucket) closeFolder() error {
	if b.folder == nil {
		return nil
	}
	return b.folder.Close()
}
