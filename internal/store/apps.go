package store

import (
	"context"
	"fmt"

	"huilu/internal/tenant"
)

const (
	appColumns = `id, num, tenant, developer_num, name, type, secret_hash, scopes, redirects, disabled,
		event_url, event_types, encrypt_key, verification_token, created_at_ms`
	appByIDQuery = `SELECT ` + appColumns + ` FROM apps WHERE id = $1`
)

// The purposes under which secrets of apps are sealed. The app's id is part of
// it, so a sealed value copied to another row does not open there.
func encryptKeyOf(app string) string        { return "encrypt key of " + app }
func verificationTokenOf(app string) string { return "verification token of " + app }

func (db *DB) scanApp(r row) (a tenant.App, err error) {
	var key, token string
	e := &a.Events
	err = r.Scan(&a.ID, &a.Num, &a.Tenant, &a.DeveloperNum, &a.Name, &a.Type, &a.SecretHash, decoded(&a.Scopes), decoded(&a.Redirects), &a.Disabled,
		&e.URL, decoded(&e.Types), &key, &token, at(&a.CreatedAt))
	if err != nil {
		return a, err
	}
	if key, err = db.keys.Open(encryptKeyOf(a.ID), key); err != nil {
		return a, fmt.Errorf("encrypt key of app %s: %w", a.ID, err)
	}
	if token, err = db.keys.Open(verificationTokenOf(a.ID), token); err != nil {
		return a, fmt.Errorf("verification token of app %s: %w", a.ID, err)
	}
	e.EncryptKey, e.VerificationToken = tenant.Secret(key), tenant.Secret(token)
	return a, nil
}

// AddApp stores a new app. Its encrypt key and verification token are sealed.
func (db *DB) AddApp(ctx context.Context, a tenant.App) error {
	l := lists(a.Scopes, a.Redirects, a.Events.Types)
	_, err := db.exec(ctx, "add app",
		`INSERT INTO apps (`+appColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		a.ID, a.Num, string(a.Tenant), a.DeveloperNum, a.Name, string(a.Type), a.SecretHash, l[0], l[1], a.Disabled,
		a.Events.URL, l[2], db.keys.Seal(encryptKeyOf(a.ID), string(a.Events.EncryptKey)),
		db.keys.Seal(verificationTokenOf(a.ID), string(a.Events.VerificationToken)), ms(a.CreatedAt))
	return err
}

// AppByID returns an app of any tenant: whoever presents credentials or a token
// names the app, and its tenant is only known from here. tenant.ErrNotFound when there is none.
func (db *DB) AppByID(ctx context.Context, id string) (tenant.App, error) {
	return get("read app", db.ask(ctx, db.hot.appByID, appByIDQuery, id), db.scanApp, tenant.ErrNotFound)
}

// Apps lists the apps of a tenant, the oldest first.
func (db *DB) Apps(ctx context.Context, t tenant.Key) ([]tenant.App, error) {
	return list(ctx, "list apps", db.reader(ctx), db.scanApp,
		`SELECT `+appColumns+` FROM apps WHERE tenant = $1 ORDER BY created_at_ms, num`, string(t))
}

// SaveApp stores what may change of an app: everything but its numbers, tenant,
// type and birth. tenant.ErrNotFound when the tenant of a has no such app.
func (db *DB) SaveApp(ctx context.Context, a tenant.App) error {
	l := lists(a.Scopes, a.Redirects, a.Events.Types)
	n, err := db.exec(ctx, "save app",
		`UPDATE apps SET name = $1, secret_hash = $2, scopes = $3, redirects = $4, disabled = $5,
			event_url = $6, event_types = $7, encrypt_key = $8, verification_token = $9
		WHERE id = $10 AND tenant = $11`,
		a.Name, a.SecretHash, l[0], l[1], a.Disabled,
		a.Events.URL, l[2], db.keys.Seal(encryptKeyOf(a.ID), string(a.Events.EncryptKey)),
		db.keys.Seal(verificationTokenOf(a.ID), string(a.Events.VerificationToken)),
		a.ID, string(a.Tenant))
	return orNone(n, err, tenant.ErrNotFound)
}
