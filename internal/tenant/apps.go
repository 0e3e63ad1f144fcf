package tenant

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"slices"

	"huilu/internal/field"
	"huilu/internal/ident"
	"huilu/internal/scope"
)

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
	a, err := s.App(ctx, id)
	if err == nil && a.Tenant != t {
		return App{}, ErrNotFound
	}
	return a, err
}

// App returns an app by its id whoever owns it. Only for checking credentials and tokens.
func (s *Service) App(ctx context.Context, id string) (App, error) {
	if !isText(id) {
		return App{}, ErrNotFound
	}
	return s.dir.AppByID(ctx, id)
}

// Apps lists the apps of a tenant.
func (s *Service) Apps(ctx context.Context, t Key) ([]App, error) { return s.dir.Apps(ctx, t) }

// Authenticate returns the app when secret is its secret. ErrNotFound and
// ErrSecretInvalid are told apart because the contract does (10003, 10014).
func (s *Service) Authenticate(ctx context.Context, id string, secret Secret) (App, error) {
	a, err := s.App(ctx, id)
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
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) <= 2048 && isText(s)
}
