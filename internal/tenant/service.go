package tenant

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"huilu/internal/field"
	"huilu/internal/ident"
)

// Service makes and changes tenants, apps and people. It is safe for concurrent use.
type Service struct {
	dir  Directory
	ids  IDs
	nums *ident.Numbers
	now  func() time.Time
}

// NewService returns a Service that keeps its data in dir.
func NewService(dir Directory, ids IDs, nums *ident.Numbers, now func() time.Time) *Service {
	return &Service{dir: dir, ids: ids, nums: nums, now: now}
}

// IDs returns the translation of person ids.
func (s *Service) IDs() IDs { return s.ids }

// Create makes a tenant in which meetings may be recorded.
func (s *Service) Create(ctx context.Context, name string) (Tenant, error) {
	name, err := label("name", name)
	if err != nil {
		return Tenant{}, err
	}
	now := s.now()
	t := Tenant{Key: Key(ident.TenantKey()), Num: s.nums.Next(now), Name: name, Recording: true, CreatedAt: now}
	return t, s.dir.AddTenant(ctx, t)
}

// Get returns one tenant or ErrNotFound.
func (s *Service) Get(ctx context.Context, k Key) (Tenant, error) {
	if !isText(string(k)) {
		return Tenant{}, ErrNotFound
	}
	return s.dir.TenantByKey(ctx, k)
}

// List returns all tenants.
func (s *Service) List(ctx context.Context) ([]Tenant, error) { return s.dir.Tenants(ctx) }

// Save stores changed Name, Recording or Disabled of a tenant.
func (s *Service) Save(ctx context.Context, t Tenant) (err error) {
	if t.Name, err = label("name", t.Name); err != nil {
		return err
	}
	return s.dir.SaveTenant(ctx, t)
}

// label checks a name that people give: 1 to 100 characters, one line of which something can be seen.
func label(name, s string) (string, error) {
	line, ok := field.Line(s)
	if !ok || !field.Visible(line) || utf8.RuneCountInString(line) > 100 {
		return "", field.Invalid(name, "must have 1 to 100 characters on one line")
	}
	return line, nil
}

// isText reports whether a database can hold s: PostgreSQL takes neither NUL nor
// torn UTF-8. What it cannot hold is nobody's name and nothing's id.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
