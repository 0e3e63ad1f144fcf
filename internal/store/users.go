package store

import (
	"context"

	"huilu/internal/tenant"
)

const userColumns = `num, tenant, user_id, name, email, role, disabled, created_at_ms`

func scanUser(r row) (u tenant.User, err error) {
	err = r.Scan(&u.Num, &u.Tenant, &u.UserID, &u.Name, &u.Email, &u.Role, &u.Disabled, at(&u.CreatedAt))
	return u, err
}

// AddUser stores a new person, or returns tenant.ErrEmailTaken.
func (db *DB) AddUser(ctx context.Context, u tenant.User, passwordHash string) error {
	// Not a caught constraint error: after one, PostgreSQL would refuse the rest of the transaction.
	n, err := db.exec(ctx, "add user",
		`INSERT INTO users (`+userColumns+`, password_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (email) DO NOTHING`,
		int64(u.Num), string(u.Tenant), u.UserID, u.Name, u.Email, string(u.Role), u.Disabled, ms(u.CreatedAt), passwordHash)
	return orNone(n, err, tenant.ErrEmailTaken)
}

// UserByNum returns a person of tenant t or tenant.ErrNotFound.
func (db *DB) UserByNum(ctx context.Context, t tenant.Key, n tenant.UserNum) (tenant.User, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE num = $1 AND tenant = $2`, int64(n), string(t))
	return get("read user", r, scanUser, tenant.ErrNotFound)
}

// UserByUserID returns a person of tenant t or tenant.ErrNotFound.
func (db *DB) UserByUserID(ctx context.Context, t tenant.Key, userID string) (tenant.User, error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE tenant = $1 AND user_id = $2`, string(t), userID)
	return get("read user", r, scanUser, tenant.ErrNotFound)
}

// UserByEmail returns a person of any tenant with the hash of the password:
// somebody who logs in has said nothing but an address. tenant.ErrNotFound when there is none.
func (db *DB) UserByEmail(ctx context.Context, email string) (u tenant.User, passwordHash string, err error) {
	r := db.reader(ctx).QueryRowContext(ctx, `SELECT password_hash, `+userColumns+` FROM users WHERE email = $1`, email)
	u, err = get("read user", r, func(r row) (u tenant.User, err error) {
		err = r.Scan(&passwordHash, &u.Num, &u.Tenant, &u.UserID, &u.Name, &u.Email, &u.Role, &u.Disabled, at(&u.CreatedAt))
		return u, err
	}, tenant.ErrNotFound)
	return u, passwordHash, err
}

// Users lists the people of a tenant, the oldest first.
func (db *DB) Users(ctx context.Context, t tenant.Key) ([]tenant.User, error) {
	return list(ctx, "list users", db.reader(ctx), scanUser,
		`SELECT `+userColumns+` FROM users WHERE tenant = $1 ORDER BY created_at_ms, num`, string(t))
}

// SaveUser stores a changed Name, Role or Disabled; tenant.ErrNotFound when the tenant of u has no such person.
func (db *DB) SaveUser(ctx context.Context, u tenant.User) error {
	n, err := db.exec(ctx, "save user",
		`UPDATE users SET name = $1, role = $2, disabled = $3 WHERE num = $4 AND tenant = $5`,
		u.Name, string(u.Role), u.Disabled, int64(u.Num), string(u.Tenant))
	return orNone(n, err, tenant.ErrNotFound)
}

// SetPassword replaces the hash of a person's password; tenant.ErrNotFound when t has no such person.
func (db *DB) SetPassword(ctx context.Context, t tenant.Key, u tenant.UserNum, passwordHash string) error {
	n, err := db.exec(ctx, "set password",
		`UPDATE users SET password_hash = $1 WHERE num = $2 AND tenant = $3`, passwordHash, int64(u), string(t))
	return orNone(n, err, tenant.ErrNotFound)
}
