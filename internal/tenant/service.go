package tenant

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/scope"
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
func (s *Service) Get(ctx context.Context, k Key) (Tenant, error) { return s.dir.TenantByKey(ctx, k) }

// List returns all tenants.
func (s *Service) List(ctx context.Context) ([]Tenant, error) { return s.dir.Tenants(ctx) }

// Save stores changed Name, Recording or Disabled of a tenant.
func (s *Service) Save(ctx context.Context, t Tenant) error { return s.dir.SaveTenant(ctx, t) }

// AppSpec is what a person says when making or changing an app.
type AppSpec struct {
	Name      string
	Type      AppType // Custom when empty
	Scopes    []string
	Redirects []string
	EventURL  string
	Events    []string
	Plain     bool // event bodies travel unencrypted; said when the app is made
}

// CreateApp makes an app of tenant t and returns its secret, which is not kept and cannot be shown again.
func (s *Service) CreateApp(ctx context.Context, t Tenant, spec AppSpec) (App, Secret, error) {
	now := s.now()
	a := App{
		ID: ident.AppID(), Num: s.nums.Next(now), Tenant: t.Key, DeveloperNum: t.Num, Type: spec.Type, CreatedAt: now,
		Events: Subscription{VerificationToken: Secret(ident.Secret(32)), EncryptKey: Secret(ident.Secret(32))},
	}
	if a.Type == "" {
		a.Type = Custom
	}
	if spec.Plain {
		a.Events.EncryptKey = ""
	}
	if err := a.apply(spec); err != nil {
		return App{}, "", err
	}
	secret := Secret(ident.Secret(32))
	a.SecretHash = hashSecret(secret)
	return a, secret, s.dir.AddApp(ctx, a)
}

// UpdateApp changes an app of tenant t; the type stays.
func (s *Service) UpdateApp(ctx context.Context, t Key, id string, spec AppSpec, disabled bool) (App, error) {
	var a App
	err := s.dir.Within(ctx, func(ctx context.Context) (err error) {
		if a, err = s.AppOf(ctx, t, id); err != nil {
			return err
		}
		spec.Type, a.Disabled = a.Type, disabled
		if err := a.apply(spec); err != nil {
			return err
		}
		return s.dir.SaveApp(ctx, a)
	})
	return a, err
}

// SwitchApp disables an app of tenant t or lets it work again.
func (s *Service) SwitchApp(ctx context.Context, t Key, id string, disabled bool) (a App, err error) {
	err = s.dir.Within(ctx, func(ctx context.Context) error {
		if a, err = s.AppOf(ctx, t, id); err != nil {
			return err
		}
		a.Disabled = disabled
		return s.dir.SaveApp(ctx, a)
	})
	return a, err
}

// RotateSecret gives an app of tenant t a new secret. The old one stops at once; tokens already issued live on.
func (s *Service) RotateSecret(ctx context.Context, t Key, id string) (Secret, error) {
	secret := Secret(ident.Secret(32))
	err := s.dir.Within(ctx, func(ctx context.Context) error {
		a, err := s.AppOf(ctx, t, id)
		if err != nil {
			return err
		}
		a.SecretHash = hashSecret(secret)
		return s.dir.SaveApp(ctx, a)
	})
	return secret, err
}

// AppOf returns an app that belongs to tenant t, or ErrNotFound.
func (s *Service) AppOf(ctx context.Context, t Key, id string) (App, error) {
	a, err := s.dir.AppByID(ctx, id)
	if err == nil && a.Tenant != t {
		return App{}, ErrNotFound
	}
	return a, err
}

// App returns an app by its id whoever owns it. Only for checking credentials and tokens.
func (s *Service) App(ctx context.Context, id string) (App, error) { return s.dir.AppByID(ctx, id) }

// Apps lists the apps of a tenant.
func (s *Service) Apps(ctx context.Context, t Key) ([]App, error) { return s.dir.Apps(ctx, t) }

// Authenticate returns the app when secret is its secret. ErrNotFound and
// ErrSecretInvalid are told apart because the contract does (10003, 10014).
func (s *Service) Authenticate(ctx context.Context, id string, secret Secret) (App, error) {
	a, err := s.dir.AppByID(ctx, id)
	if err != nil {
		return App{}, err
	}
	if subtle.ConstantTimeCompare(a.SecretHash, hashSecret(secret)) != 1 {
		return App{}, ErrSecretInvalid
	}
	return a, nil
}

// hashSecret needs no salt and no slowness: app secrets are 190 random bits.
func hashSecret(s Secret) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func (a *App) apply(spec AppSpec) error {
	name, err := label("name", spec.Name)
	if err != nil {
		return err
	}
	if spec.Type != "" && spec.Type != Custom && spec.Type != Store {
		return field.Invalid("type", "must be custom or store")
	}
	for _, sc := range spec.Scopes {
		if !scope.Known(sc) {
			return field.Invalid("scopes", "%q is not a scope of this server", sc)
		}
	}
	for _, r := range spec.Redirects {
		if !isWebURL(r) {
			return field.Invalid("redirect_urls", "must be http:// or https:// addresses")
		}
	}
	if spec.EventURL != "" && !isWebURL(spec.EventURL) {
		return field.Invalid("event_url", "must be an http:// or https:// address")
	}
	a.Name, a.Scopes, a.Redirects = name, scope.Set(slices.Compact(slices.Sorted(slices.Values(spec.Scopes)))), spec.Redirects
	a.Events.URL, a.Events.Types = spec.EventURL, slices.Compact(slices.Sorted(slices.Values(spec.Events)))
	return nil
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) <= 2048
}

// UserSpec is what is needed to make an account.
type UserSpec struct {
	Name     string
	Email    string
	Password Secret // 10 to 200 characters
	Role     Role   // Member when empty
}

// CreateUser makes an account in tenant t.
func (s *Service) CreateUser(ctx context.Context, t Key, spec UserSpec) (User, error) {
	now := s.now()
	u := User{Num: UserNum(s.nums.Next(now)), Tenant: t, UserID: ident.UserID(), Role: spec.Role, CreatedAt: now}
	if u.Role == "" {
		u.Role = Member
	}
	var err error
	if u.Name, err = label("name", spec.Name); err != nil {
		return User{}, err
	}
	if u.Email, err = email(spec.Email); err != nil {
		return User{}, err
	}
	hash, err := hashPassword(spec.Password)
	if err != nil {
		return User{}, err
	}
	return u, s.dir.AddUser(ctx, u, hash)
}

// User returns a person of tenant t or ErrNotFound.
func (s *Service) User(ctx context.Context, t Key, n UserNum) (User, error) {
	return s.dir.UserByNum(ctx, t, n)
}

// Users lists the people of a tenant.
func (s *Service) Users(ctx context.Context, t Key) ([]User, error) { return s.dir.Users(ctx, t) }

// FindUser returns the person of tenant t with this email address or user_id.
func (s *Service) FindUser(ctx context.Context, t Key, nameOrID string) (User, error) {
	if strings.Contains(nameOrID, "@") {
		u, _, err := s.dir.UserByEmail(ctx, strings.ToLower(nameOrID))
		if err == nil && u.Tenant != t {
			return User{}, ErrNotFound
		}
		return u, err
	}
	return s.dir.UserByUserID(ctx, t, nameOrID)
}

// SaveUser stores changed Name, Role or Disabled of a person.
func (s *Service) SaveUser(ctx context.Context, u User) error { return s.dir.SaveUser(ctx, u) }

// SetPassword replaces the password of a person of tenant t.
func (s *Service) SetPassword(ctx context.Context, t Key, n UserNum, password Secret) error {
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	return s.dir.SetPassword(ctx, t, n, hash)
}

// nobody is hashed against when an email address is unknown, so that the time
// an answer takes does not tell which addresses have accounts.
const nobody = "$argon2id$v=19$m=65536,t=1,p=2$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGrKXpLhZ1nY8"

// Login returns the person when email and password belong together and neither
// the account nor its tenant is disabled; ErrBadLogin otherwise.
func (s *Service) Login(ctx context.Context, address string, password Secret) (User, error) {
	u, hash, err := s.dir.UserByEmail(ctx, strings.ToLower(strings.TrimSpace(address)))
	if errors.Is(err, ErrNotFound) {
		hash = nobody
	} else if err != nil {
		return User{}, err
	}
	match, cmpErr := argon2id.ComparePasswordAndHash(string(password), hash)
	if errors.Is(err, ErrNotFound) || cmpErr != nil || !match || u.Disabled {
		return User{}, ErrBadLogin
	}
	t, err := s.dir.TenantByKey(ctx, u.Tenant)
	if err != nil {
		return User{}, err
	}
	if t.Disabled {
		return User{}, ErrBadLogin
	}
	return u, nil
}

// Resolve reads a person id of kind typ that app a presented in tenant t.
func (s *Service) Resolve(ctx context.Context, a App, t Key, typ IDType, id string) (User, error) {
	var n UserNum
	var err error
	switch typ {
	case UserID:
		u, err := s.dir.UserByUserID(ctx, t, id)
		if errors.Is(err, ErrNotFound) {
			return User{}, ErrIDUnknown
		}
		return u, err
	case UnionID:
		n, err = s.ids.FromUnion(a, id)
	default:
		n, err = s.ids.FromOpen(a, id)
	}
	if err != nil {
		return User{}, err
	}
	u, err := s.dir.UserByNum(ctx, t, n)
	if errors.Is(err, ErrNotFound) {
		return User{}, ErrIDUnknown
	}
	return u, err
}

func hashPassword(p Secret) (string, error) {
	if n := utf8.RuneCountInString(string(p)); n < 10 || n > 200 {
		return "", field.Invalid("password", "must have 10 to 200 characters")
	}
	hash, err := argon2id.CreateHash(string(p), argon2id.DefaultParams)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

func email(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s || len(s) > 254 {
		return "", field.Invalid("email", "must be an email address such as lin@example.org")
	}
	return s, nil
}

// label checks a name that people give: 1 to 100 characters, no line breaks.
func label(name, s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n < 1 || n > 100 || strings.ContainsAny(s, "\r\n\x00") || !utf8.ValidString(s) {
		return "", field.Invalid(name, "must have 1 to 100 characters on one line")
	}
	return s, nil
}
