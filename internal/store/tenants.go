package store

import (
	"context"

	"huilu/internal/tenant"
)

var _ tenant.Directory = (*DB)(nil)

const tenantColumns = `key, num, name, recording, disabled, created_at_ms`

func scanTenant(r row) (t tenant.Tenant, err error) {
	err = r.Scan(&t.Key, &t.Num, &t.Name, &t.Recording, &t.Disabled, at(&t.CreatedAt))
	return t, err
}

// AddTenant stores a new tenant.
func (db *DB) AddTenant(ctx context.Context, t tenant.Tenant) error {
	_, err := db.exec(ctx, "add tenant",
		`INSERT INTO tenants (`+tenantColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		string(t.Key), t.Num, t.Name, t.Recording, t.Disabled, ms(t.CreatedAt))
	return err
}

// TenantByKey returns one tenant or tenant.ErrNotFound.
func (db *DB) TenantByKey(ctx context.Context, k tenant.Key) (tenant.Tenant, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+tenantColumns+` FROM tenants WHERE key = $1`, string(k))
	return get("read tenant", r, scanTenant, tenant.ErrNotFound)
}

// Tenants lists all tenants, the oldest first. It is for the operator of the server.
func (db *DB) Tenants(ctx context.Context) ([]tenant.Tenant, error) {
	return list(ctx, "list tenants", db.reader(ctx), scanTenant,
		`SELECT `+tenantColumns+` FROM tenants ORDER BY created_at_ms, num`)
}

// SaveTenant stores a changed Name, Recording or Disabled; tenant.ErrNotFound when there is no such tenant.
func (db *DB) SaveTenant(ctx context.Context, t tenant.Tenant) error {
	n, err := db.exec(ctx, "save tenant",
		`UPDATE tenants SET name = $1, recording = $2, disabled = $3 WHERE key = $4`,
		t.Name, t.Recording, t.Disabled, string(t.Key))
	return orNone(n, err, tenant.ErrNotFound)
}

// orNone turns "no row was changed" into none.
func orNone(n int64, err, none error) error {
	if err == nil && n == 0 {
		return none
	}
	return err
}
