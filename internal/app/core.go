package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"huilu/internal/blob"
	"huilu/internal/config"
	"huilu/internal/event"
	"huilu/internal/ident"
	"huilu/internal/job"
	"huilu/internal/keys"
	"huilu/internal/meeting"
	"huilu/internal/minute"
	"huilu/internal/recording"
	"huilu/internal/store"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

// Core is the domain over its database and files, without anything that runs or
// listens: what the server is built on, and all that admin commands need. It
// may be open in several processes at once.
type Core struct {
	Config     config.Config
	Keys       keys.Master
	DB         *store.DB
	Blobs      *blob.Bucket
	Jobs       *job.Queue
	Tenants    *tenant.Service
	Tokens     *token.Service
	Events     *event.Service
	Meetings   *meeting.Service
	Recordings *recording.Service
	Minutes    *minute.Service

	rooms *rooms
	log   *slog.Logger
	// What to wake after a commit; nothing until the server runs.
	deliverer, keeper atomic.Pointer[func()]
}

// OpenCore opens data folder, key, database (migrating it) and files. Close it in the end.
func OpenCore(ctx context.Context, cfg config.Config, log *slog.Logger) (*Core, error) {
	if err := cfg.EnsureData(); err != nil {
		return nil, err
	}
	master, made, err := masterKey(cfg)
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(ctx, cfg, master, log)
	if errors.Is(err, errOtherKey) && made { // it would only be in the way of the right one
		err = errors.Join(err, os.Remove(keyFile(cfg)))
	}
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	blobs, err := blob.Open(ctx, cfg.Blobs)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("files: %w", err), db.Close())
	}
	c := &Core{Config: cfg, Keys: master, DB: db, Blobs: blobs, Jobs: job.New(db.Jobs(), cfg.Composers, log), log: log}
	c.domain()
	return c, nil
}

// domain builds the services; each is told what it needs of the others.
func (c *Core) domain() {
	nums, now := &ident.Numbers{}, time.Now
	c.Tenants = tenant.NewService(c.DB, tenant.NewIDs(c.Keys), nums, now)
	c.Tokens = token.NewService(c.DB, c.DB, c.Keys, now)
	c.Minutes = minute.NewService(c.DB, c.Keys, now)
	c.Events = event.NewService(c.DB, c.DB, event.Audience(c.Config.Events.Audience), ringer(&c.deliverer))
	c.rooms = &rooms{wake: ringer(&c.keeper), log: c.log, signs: map[string]sign{}}
	c.Meetings = meeting.NewService(c.DB, c.DB, c.Events, c.rooms, nums, now, c.log,
		meeting.Options{EmptyAfter: c.Config.EmptyAfter, MaxInside: c.Config.MaxInside})
	c.rooms.meetings = c.Meetings
	c.Recordings = recording.NewService(c.DB.Recordings(), c.Meetings, c.DB, c.Events, c.Jobs, nums, now, c.log, ringer(&c.keeper))
	c.Meetings.Follow(c.Recordings)
}

// ringer calls what is stored in p, once something is.
func ringer(p *atomic.Pointer[func()]) func() {
	return func() {
		if f := p.Load(); f != nil {
			(*f)()
		}
	}
}

// Close closes files and database.
func (c *Core) Close() error { return errors.Join(c.Blobs.Close(), c.DB.Close()) }

func keyFile(c config.Config) string { return filepath.Join(c.Data, "master.key") }

// masterKey reads the key; made tells that there was none and it is new.
func masterKey(cfg config.Config) (m keys.Master, made bool, err error) {
	if cfg.MasterKey != "" {
		m, err = keys.Parse(cfg.MasterKey)
		return m, false, err
	}
	_, err = os.Stat(keyFile(cfg))
	made = errors.Is(err, fs.ErrNotExist)
	m, err = keys.Load(keyFile(cfg))
	return m, made, err
}

// errOtherKey keeps a server from giving everybody new ids and from losing every app's secrets, when a backup was
// restored without its key.
var errOtherKey = errors.New("it was made with another master key: put back the file master.key that belongs to it, or correct the setting master_key")

func openDatabase(ctx context.Context, cfg config.Config, m keys.Master, log *slog.Logger) (*store.DB, error) {
	db, err := store.Open(ctx, cfg.Database, m, log)
	if err != nil {
		return nil, err
	}
	same, err := db.ClaimKey(ctx, m.Fingerprint())
	if err == nil && !same {
		err = errOtherKey
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Folders below the data folder.
func captureFolder(c config.Config) string { return filepath.Join(c.Data, "capture") }
func workFolder(c config.Config) string    { return filepath.Join(c.Data, "work") }

func makeFolders(c config.Config) error {
	return errors.Join(os.MkdirAll(captureFolder(c), 0o700), os.MkdirAll(workFolder(c), 0o700))
}

// Admin is the account a first start makes.
type Admin struct{ Email, Password string }

// WorkFolder is where files are made before they are stored.
func (c *Core) WorkFolder() (string, error) {
	return workFolder(c.Config), makeFolders(c.Config)
}

// Bootstrap makes a tenant and its administrator when there is no tenant yet.
// The password is returned this once and kept nowhere in the clear.
func (c *Core) Bootstrap(ctx context.Context) (a Admin, made bool, err error) {
	err = c.DB.Within(ctx, func(ctx context.Context) error {
		all, err := c.Tenants.List(ctx)
		if err != nil || len(all) > 0 {
			return err
		}
		t, err := c.Tenants.Create(ctx, "My organisation")
		if err != nil {
			return err
		}
		a, made = Admin{Email: "admin@localhost", Password: ident.Secret(16)}, true
		_, err = c.Tenants.CreateUser(ctx, t.Key, tenant.UserSpec{Name: "Administrator", Email: a.Email, Password: tenant.Secret(a.Password), Role: tenant.Admin})
		return err
	})
	return a, made && err == nil, err
}

// EventTypes lists the names of all event types.
func EventTypes() []string {
	var types []string
	for _, k := range event.Kinds() {
		types = append(types, string(k.Type))
	}
	return types
}

// Topic returns the title of a meeting.
func (c *Core) Topic(ctx context.Context, t tenant.Key, id int64) (string, error) {
	m, err := c.DB.MeetingByID(ctx, t, id)
	return m.Topic, err
}
