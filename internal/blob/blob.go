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
	"mime"
	"net/url"
	"os"
	"path"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"
)

// ErrNotFound means that there is no file under a key.
var ErrNotFound = errors.New("no such file")

// Bucket is an open place for files. It is safe for concurrent use.
type Bucket struct{ b *blob.Bucket }

// Open opens the place a URL names; a folder is made when it is missing.
func Open(ctx context.Context, address string) (*Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("place for files %q: %w", address, err)
	}
	if u.Scheme == "file" {
		if err := os.MkdirAll(u.Path, 0o700); err != nil {
			return nil, fmt.Errorf("place for files: %w", err)
		}
		q := u.Query()
		q.Set("metadata", "skip")   // no files beside the files
		q.Set("no_tmp_dir", "true") // written beside their place, so that the rename is atomic
		u.RawQuery = q.Encode()
	}
	b, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("place for files %s: %w", u.Redacted(), err)
	}
	return &Bucket{b: b}, nil
}

// Put stores the file at path under key. When it returns nil the file is there, whole.
func (b *Bucket) Put(ctx context.Context, key, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	defer f.Close()
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

// Close closes the place.
func (b *Bucket) Close() error { return b.b.Close() }
