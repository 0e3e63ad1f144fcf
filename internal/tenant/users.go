package tenant

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"huilu/internal/field"
	"huilu/internal/ident"
)

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
	u := User{Num: UserNum(s.nums.Next(now)), Tenant: t, UserID: ident.UserID(), Name: spec.Name, Role: spec.Role, CreatedAt: now}
	if u.Role == "" {
		u.Role = Member
	}
	u, err := u.checked()
	if err != nil {
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
	if !isText(nameOrID) {
		return User{}, ErrNotFound
	}
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
func (s *Service) SaveUser(ctx context.Context, u User) error {
	u, err := u.checked()
	if err != nil {
		return err
	}
	return s.dir.SaveUser(ctx, u)
}

// checked returns u with its name trimmed when name and role are in order.
func (u User) checked() (User, error) {
	var err error
	if u.Name, err = label("name", u.Name); err != nil {
		return User{}, err
	}
	if u.Role != Member && u.Role != Admin {
		return User{}, field.Invalid("role", "must be member or admin")
	}
	return u, nil
}

// SetPassword replaces the password of a person of tenant t.
func (s *Service) SetPassword(ctx context.Context, t Key, n UserNum, password Secret) error {
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	return s.dir.SetPassword(ctx, t, n, hash)
}

// hashing is what a password costs. It does not depend on the machine, as the
// library's default does: nobody has to cost the same as an account.
var hashing = argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// nobody is hashed against when an email address is unknown, so that the time
// an answer takes does not tell which addresses have accounts.
const nobody = "$argon2id$v=19$m=65536,t=1,p=2$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b4dWRWJTmaaJObGrKXpLhZ1nY8"

// Login returns the person when email and password belong together and neither
// the account nor its tenant is disabled; ErrBadLogin otherwise.
func (s *Service) Login(ctx context.Context, address string, password Secret) (User, error) {
	u, hash, err := s.account(ctx, address)
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

// account finds who has an email address, with the hash of the password.
func (s *Service) account(ctx context.Context, address string) (User, string, error) {
	address, err := email(address)
	if err != nil {
		return User{}, "", ErrNotFound
	}
	return s.dir.UserByEmail(ctx, address)
}

// Resolve reads a person id of kind typ that app a presented in tenant t.
func (s *Service) Resolve(ctx context.Context, a App, t Key, typ IDType, id string) (User, error) {
	var n UserNum
	var err error
	switch typ {
	case UserID:
		if !isText(id) {
			return User{}, ErrIDUnknown
		}
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
	hash, err := argon2id.CreateHash(string(p), &hashing)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

func email(s string) (string, error) {
	lower := strings.ToLower(strings.TrimSpace(s)) // makes torn characters whole
	if a, err := mail.ParseAddress(lower); err != nil || a.Address != lower || len(lower) > 254 || !isText(s) {
		return "", field.Invalid("email", "must be an email address such as lin@example.org")
	}
	return lower, nil
}
