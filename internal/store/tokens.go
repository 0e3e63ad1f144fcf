package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"huilu/internal/scope"
	"huilu/internal/tenant"
	"huilu/internal/token"
)

var _ token.Store = (*DB)(nil)

const (
	lastIssueQuery = `SELECT issued_at_ms FROM tenant_issues WHERE app = $1 AND tenant = $2`

	codeColumns = `hash, app, tenant, user_num, redirect, scopes, challenge, method, created_at_ms, consented_at_ms`

	tokenColumns  = `id, pair, refresh, app, tenant, user_num, scopes, expires_at_ms, used_at_ms, consented_at_ms`
	tokenRowQuery = `SELECT ` + tokenColumns + ` FROM token_rows WHERE id = $1`
)

// LastIssue returns when the current tenant token of app in t was issued, the zero time for never.
func (db *DB) LastIssue(ctx context.Context, app string, t tenant.Key) (time.Time, error) {
	n, err := number(db.ask(ctx, db.hot.lastIssue, lastIssueQuery, app, string(t)))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("read last issue: %w", err)
	}
	return fromMS(n), nil
}

// SetLastIssue notes when a tenant token was issued. Of two at the same time the later stays.
func (db *DB) SetLastIssue(ctx context.Context, app string, t tenant.Key, issued time.Time) error {
	_, err := db.exec(ctx, "set last issue",
		`INSERT INTO tenant_issues (app, tenant, issued_at_ms) VALUES ($1, $2, $3)
		ON CONFLICT (app, tenant) DO UPDATE SET issued_at_ms = excluded.issued_at_ms WHERE tenant_issues.issued_at_ms < excluded.issued_at_ms`,
		app, string(t), ms(issued))
	return err
}

// AddCode stores an authorization code.
func (db *DB) AddCode(ctx context.Context, c token.Code) error {
	_, err := db.exec(ctx, "add code",
		`INSERT INTO codes (`+codeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.Hash, c.App, string(c.Tenant), int64(c.User), c.Redirect, lists(c.Scopes)[0], c.Challenge, c.Method, ms(c.CreatedAt), ms(c.ConsentedAt))
	return err
}

func scanCode(r row) (c token.Code, err error) {
	err = r.Scan(&c.Hash, &c.App, &c.Tenant, &c.User, &c.Redirect, decoded(&c.Scopes), &c.Challenge, &c.Method, at(&c.CreatedAt), at(&c.ConsentedAt))
	return c, err
}

// TakeCode returns a code of any tenant, which only the code itself tells, and
// marks it used; used tells that it already was. token.ErrCodeNotFound when there is none.
func (db *DB) TakeCode(ctx context.Context, hash []byte, now time.Time) (c token.Code, used bool, err error) {
	r := db.writer(ctx).QueryRowContext(ctx,
		`UPDATE codes SET used_at_ms = $1 WHERE hash = $2 AND used_at_ms = 0 RETURNING `+codeColumns, ms(now), hash)
	c, err = get("take code", r, scanCode, token.ErrCodeNotFound)
	if !errors.Is(err, token.ErrCodeNotFound) {
		return c, false, err
	}
	r = db.writer(ctx).QueryRowContext(ctx, `SELECT `+codeColumns+` FROM codes WHERE hash = $1`, hash)
	c, err = get("read code", r, scanCode, token.ErrCodeNotFound)
	return c, err == nil, err
}

// AddRow stores the record of an issued token.
func (db *DB) AddRow(ctx context.Context, r token.Row) error {
	_, err := db.exec(ctx, "add token",
		`INSERT INTO token_rows (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.ID, r.Pair, r.Refresh, r.App, string(r.Tenant), int64(r.User), lists(r.Scopes)[0], ms(r.ExpiresAt), ms(r.UsedAt), ms(r.Consented))
	return err
}

// RowByID returns the record of a token of any tenant: the token's signature was
// checked, and its tenant is only known from here. token.ErrUserInvalid when there is none.
func (db *DB) RowByID(ctx context.Context, id string) (token.Row, error) {
	return get("read token", db.ask(ctx, db.hot.tokenRow, tokenRowQuery, id), func(r row) (t token.Row, err error) {
		err = r.Scan(&t.ID, &t.Pair, &t.Refresh, &t.App, &t.Tenant, &t.User, decoded(&t.Scopes), at(&t.ExpiresAt), at(&t.UsedAt), at(&t.Consented))
		return t, err
	}, token.ErrUserInvalid)
}

// UseRefresh marks a refresh token used; false means that it already was, or
// does not exist. The id comes out of a token whose signature was checked.
func (db *DB) UseRefresh(ctx context.Context, id string, now time.Time) (bool, error) {
	n, err := db.exec(ctx, "use refresh token",
		`UPDATE token_rows SET used_at_ms = $1 WHERE id = $2 AND refresh AND used_at_ms = 0`, ms(now), id)
	return n == 1, err
}

// ShortenPair makes the access token of a pair end at the latest at end. The
// pair comes from a row that was just read.
func (db *DB) ShortenPair(ctx context.Context, pair string, end time.Time) error {
	_, err := db.exec(ctx, "shorten pair",
		`UPDATE token_rows SET expires_at_ms = $1 WHERE pair = $2 AND NOT refresh AND expires_at_ms > $1`, ms(end), pair)
	return err
}

// Granted returns all scopes a person ever granted to an app, in the order of their names.
func (db *DB) Granted(ctx context.Context, app string, t tenant.Key, u tenant.UserNum) (scope.Set, error) {
	return list(ctx, "read grants", db.reader(ctx), func(r row) (s string, err error) {
		err = r.Scan(&s)
		return s, err
	}, `SELECT scope FROM grants WHERE app = $1 AND tenant = $2 AND user_num = $3 ORDER BY scope`, app, string(t), int64(u))
}

// Grant notes that a person granted scopes to an app. What was granted before stays.
func (db *DB) Grant(ctx context.Context, app string, t tenant.Key, u tenant.UserNum, scopes scope.Set, now time.Time) error {
	return db.Within(ctx, func(ctx context.Context) error {
		for _, s := range scopes {
			_, err := db.exec(ctx, "grant",
				`INSERT INTO grants (app, tenant, user_num, scope, granted_at_ms) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (app, tenant, user_num, scope) DO UPDATE SET granted_at_ms = excluded.granted_at_ms`,
				app, string(t), int64(u), s, ms(now))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
