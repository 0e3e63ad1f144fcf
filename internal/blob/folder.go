package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"huilu/internal/ident"
)

// gocloud's folder driver renames without syncing: after a power cut a file may be
// there under its name with nothing in it, and its recording says ready. So files are written here, and only read through the driver.

const (
	chunk   = 64 << 20  // bytes copied between two looks at the context
	partial = ".part-"  // between key and a random end: two writers never share a file
	tooOld  = time.Hour // after this a partial file is a dead writer's
)

// putFile writes beside the key, syncs, renames over the key, and syncs the folders that changed.
func putFile(ctx context.Context, root *os.Root, key string, from io.Reader) error {
	dir := path.Dir(key)
	made, err := makeFolders(root, dir)
	if err != nil {
		return err
	}
	sweep(root, key)
	name := ident.Hex(key+partial, 8)
	err = write(ctx, root, name, from)
	if err == nil {
		err = root.Rename(name, key)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(name)))
	}
	for _, d := range append(made, dir) {
		if err := syncFolder(root, d); err != nil {
			return err
		}
	}
	return nil
}

func write(ctx context.Context, root *os.Root, name string, from io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, f.Close())
		}
		_, err := io.CopyN(f, from, chunk)
		if err == io.EOF {
			break
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// makeFolders makes dir and returns the folders in which others were made.
func makeFolders(root *os.Root, dir string) (parents []string, err error) {
	for at := dir; at != "."; at = path.Dir(at) {
		if _, err := root.Stat(at); err == nil {
			break
		}
		parents = append(parents, path.Dir(at))
	}
	return parents, root.MkdirAll(dir, 0o700)
}

func syncFolder(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}

// sweep removes what writers of this key left behind when they were killed. What
// cannot be removed only takes up room; the next writer tries again.
func sweep(root *os.Root, key string) {
	entries, err := fs.ReadDir(root.FS(), path.Dir(key))
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), path.Base(key)+partial) && time.Since(info.ModTime()) > tooOld {
			_ = root.Remove(path.Join(path.Dir(key), e.Name()))
		}
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
