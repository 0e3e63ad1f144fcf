package pages

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"huilu/internal/tenant"
)

// How long somebody stays signed in.
const (
	sessionLife = 14 * 24 * time.Hour
	sessionIdle = 3 * 24 * time.Hour // without any request
	// sessionTouch is how exactly idleness is known. scs' own idle timeout would write to the database with every
	// request, and pages ask every few seconds.
	sessionTouch = 10 * time.Minute
)

// What is kept in a session.
const (
	keyTenant = "tenant"
	keyUser   = "user"
	keySeen   = "seen" // Unix seconds of the last request, give or take sessionTouch
)

// sessions knows who is signed in. The cookie is a random text; the database has its hash.
type sessions struct {
	*scs.SessionManager
	now func() time.Time
}

func newSessions(store scs.CtxStore, baseURL string, now func() time.Time) sessions {
	// Not scs.New: that starts a store in memory, and its cleaner runs for ever.
	m := &scs.SessionManager{
		Store: store, Lifetime: sessionLife, Codec: scs.GobCodec{}, HashTokenInStore: true,
		Cookie: scs.SessionCookie{Name: "huilu_session", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Persist: true},
	}
	if strings.HasPrefix(baseURL, "https://") {
		m.Cookie.Name, m.Cookie.Secure = "__Host-huilu_session", true // browsers take this name only from the host itself, over TLS
	}
	return sessions{SessionManager: m, now: now}
}

// load reads the session of r into the context.
func (s sessions) load(r *http.Request) (context.Context, error) {
	var raw string
	if c, err := r.Cookie(s.Cookie.Name); err == nil {
		raw = c.Value
	}
	return s.Load(r.Context(), raw)
}

// save stores a session that has changed and tells the browser.
func (s sessions) save(ctx context.Context, w http.ResponseWriter) error {
	switch s.Status(ctx) {
	case scs.Modified:
		raw, expiry, err := s.Commit(ctx)
		if err != nil {
			return err
		}
		s.WriteSessionCookie(ctx, w, raw, expiry)
	case scs.Destroyed:
		s.WriteSessionCookie(ctx, w, "", time.Time{})
	}
	return nil
}

// begin signs u in under a new cookie: whoever planted or knows the old one has nothing.
func (s sessions) begin(ctx context.Context, u tenant.User) error {
	if err := s.Clear(ctx); err != nil {
		return err
	}
	if err := s.RenewToken(ctx); err != nil {
		return err
	}
	s.Put(ctx, keyTenant, string(u.Tenant))
	s.Put(ctx, keyUser, int64(u.Num))
	s.Put(ctx, keySeen, s.now().Unix())
	return nil
}

// who is somebody who is signed in.
type who struct {
	tenant.User
	org tenant.Tenant
}

// actor is the person in the words of the domain. User is never zero, which would be an app.
func (w *who) actor() tenant.Actor { return tenant.Actor{Tenant: w.Tenant, User: w.Num} }

// whoIs returns the person of a session, nil for nobody. Accounts and tenants are
// looked up each time: who is switched off is out at once.
func (p *Pages) whoIs(ctx context.Context) (*who, error) {
	s := p.sessions
	n := tenant.UserNum(s.GetInt64(ctx, keyUser))
	if n == 0 {
		return nil, nil
	}
	seen := time.Unix(s.GetInt64(ctx, keySeen), 0)
	if s.now().Sub(seen) > sessionIdle {
		return nil, s.Destroy(ctx)
	}
	u, err := p.Tenants.User(ctx, tenant.Key(s.GetString(ctx, keyTenant)), n)
	if errors.Is(err, tenant.ErrNotFound) || err == nil && u.Disabled {
		return nil, s.Destroy(ctx)
	} else if err != nil {
		return nil, err
	}
	org, err := p.Tenants.Get(ctx, u.Tenant)
	if errors.Is(err, tenant.ErrNotFound) || err == nil && org.Disabled {
		return nil, s.Destroy(ctx)
	} else if err != nil {
		return nil, err
	}
	if s.now().Sub(seen) > sessionTouch {
		s.Put(ctx, keySeen, s.now().Unix())
	}
	return &who{User: u, org: org}, nil
}

type meJSON struct {
	User struct {
		ID    string      `json:"id"`
		Name  string      `json:"name"`
		Email string      `json:"email"`
		Role  tenant.Role `json:"role"`
	} `json:"user"`
	Tenant struct {
		Key  tenant.Key `json:"key"`
		Name string     `json:"name"`
	} `json:"tenant"`
}

func me(u tenant.User, org tenant.Tenant) (m meJSON) {
	m.User.ID, m.User.Name, m.User.Email, m.User.Role = u.UserID, u.Name, u.Email, u.Role
	m.Tenant.Key, m.Tenant.Name = org.Key, org.Name
	return m
}

func (p *Pages) getMe(r *request) (any, error) { return me(r.who.User, r.who.org), nil }

// login signs somebody in. Wrong tries are slowed down for the place they come
// from and for the address they are about, whether it has an account or not.
func (p *Pages) login(r *request) (any, error) {
	var in struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	ctx := r.Context()
	place, who := p.place(r.Request), strings.ToLower(strings.TrimSpace(in.Email))
	from := []payment{{loginsFrom, "login from " + place}, {loginsAs, "login as " + who + " from " + place}, {loginsOf, "login as " + who}}
	var u tenant.User
	err := p.guesses.try(from, func() (err error) {
		u, err = p.checkPassword(ctx, in.Email, tenant.Secret(in.Password))
		return err
	}, func(err error) bool { return errors.Is(err, tenant.ErrBadLogin) })
	if err != nil {
		return nil, err
	}
	org, err := p.Tenants.Get(ctx, u.Tenant)
	if err != nil {
		return nil, err
	}
	if err := p.sessions.begin(ctx, u); err != nil {
		return nil, err
	}
	p.Log.InfoContext(ctx, "signed in", "tenant", u.Tenant, "user", u.UserID, "from", p.Address(r.Request))
	return me(u, org), nil
}

// checkPassword waits for its turn: checking many at once would eat the memory that meetings need.
func (p *Pages) checkPassword(ctx context.Context, email string, password tenant.Secret) (tenant.User, error) {
	select {
	case p.hashing <- struct{}{}:
		defer func() { <-p.hashing }()
	case <-ctx.Done():
		return tenant.User{}, ctx.Err()
	}
	return p.Tenants.Login(ctx, email, password)
}

// logout ends the session. Without one there is nothing to end, which is fine too.
func (p *Pages) logout(r *request) (any, error) { return nil, p.sessions.Destroy(r.Context()) }
