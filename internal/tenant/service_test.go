package tenant_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"huilu/internal/ident"
	"huilu/internal/scope"
	"huilu/internal/store/storetest"
	"huilu/internal/tenant"
)

var numbers ident.Numbers

func clock() time.Time { return storetest.Now }

func TestATenantIsMadeAndChanged(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		made, err := w.Create(t.Context(), "  Huilu 会录 ")
		check(t, err)
		if made.Name != "Huilu 会录" || !made.Recording || made.Disabled || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(string(made.Key)) || made.Num <= 0 {
			t.Errorf("made %+v", made)
		}
		made.Name, made.Recording, made.Disabled = "New", false, true
		check(t, w.Save(t.Context(), made))
		got, err := w.Get(t.Context(), made.Key)
		if err != nil || got != made {
			t.Errorf("got %+v, %v; want %+v", got, err, made)
		}
		all, err := w.List(t.Context())
		if err != nil || len(all) != 3 {
			t.Errorf("%d tenants, %v", len(all), err)
		}
		for _, k := range append([]string{"", "0000000000000000"}, unstorable...) {
			_, err := w.Get(t.Context(), tenant.Key(k))
			wants(t, k, err, tenant.ErrNotFound)
		}
	})
}

func TestNamesAreOneLineThatCanBeShownAndStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	names := map[string]bool{"Lin": true, " 林 ": true, long(100): true, "🙂": true, "": false, " \t ": false, long(101): false, "a\nb": false, "a\rb": false, "a\x1bb": false, "\u3164": false}
	for _, s := range unstorable {
		names[s] = false
	}
	for name, good := range names {
		complaint := "name"
		if good {
			complaint = ""
		}
		_, err := w.Create(t.Context(), name)
		blames(t, "tenant "+name, err, complaint)
		_, _, err = w.CreateApp(t.Context(), w.Home.Tenant, tenant.AppSpec{Name: name})
		blames(t, "app "+name, err, complaint)
		o, u := w.Home.Tenant, w.Home.Owner
		o.Name, u.Name = name, name
		blames(t, "renamed tenant "+name, w.Save(t.Context(), o), complaint)
		blames(t, "renamed person "+name, w.SaveUser(t.Context(), u), complaint)
		if !good {
			_, err = w.CreateUser(t.Context(), o.Key, tenant.UserSpec{Name: name, Email: "n@example.org", Password: password})
			blames(t, "person "+name, err, "name")
		}
	}
}

// A name must not turn around what stands beside it.
func TestNamesLoseWhatCannotBeSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	if made, err := w.Create(t.Context(), "\u202eHuilu\u200b"); err != nil || made.Name != "Huilu" {
		t.Errorf("it is called %q, %v", made.Name, err)
	}
}

func TestWhatAnAccountNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	good := tenant.UserSpec{Name: "Lin", Email: "lin@example.org", Password: password}
	for name, c := range map[string]struct {
		change func(*tenant.UserSpec)
		blame  string
	}{
		"no email":                   {func(s *tenant.UserSpec) { s.Email = "" }, "email"},
		"email without @":            {func(s *tenant.UserSpec) { s.Email = "lin" }, "email"},
		"email without domain":       {func(s *tenant.UserSpec) { s.Email = "lin@" }, "email"},
		"email with a name":          {func(s *tenant.UserSpec) { s.Email = "Lin <lin@example.org>" }, "email"},
		"two addresses":              {func(s *tenant.UserSpec) { s.Email = "lin@example.org, zoe@example.org" }, "email"},
		"email with a line break":    {func(s *tenant.UserSpec) { s.Email = "lin@example\n.org" }, "email"},
		"email longer than any":      {func(s *tenant.UserSpec) { s.Email = strings.Repeat("a", 244) + "@example.org" }, "email"},
		"email no database can hold": {func(s *tenant.UserSpec) { s.Email = "l\x00n@example.org" }, "email"},
		"email of half a character":  {func(s *tenant.UserSpec) { s.Email = "l\xffn@example.org" }, "email"},
		"password too short":         {func(s *tenant.UserSpec) { s.Password = "123456789" }, "password"},
		"password too long":          {func(s *tenant.UserSpec) { s.Password = tenant.Secret(long(201)) }, "password"},
		"a role that is none":        {func(s *tenant.UserSpec) { s.Role = "root" }, "role"},
	} {
		spec := good
		c.change(&spec)
		_, err := w.CreateUser(t.Context(), w.Home.Tenant.Key, spec)
		blames(t, name, err, c.blame)
	}
	good.Email, good.Password = " Lin@Example.org ", tenant.Secret(long(10))
	u, err := w.CreateUser(t.Context(), w.Home.Tenant.Key, good)
	if err != nil || u.Email != "lin@example.org" || u.Role != tenant.Member || !regexp.MustCompile(`^[a-z0-9]{8}$`).MatchString(u.UserID) || u.Tenant != w.Home.Tenant.Key {
		t.Errorf("made %+v, %v", u, err)
	}
	u.Role = "root"
	blames(t, "changed to a role that is none", w.SaveUser(t.Context(), u), "role")
}

func TestAPersonIsFoundInTheirTenantOnly(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		lin := w.Home.Owner
		for name, c := range map[string]struct {
			in   tenant.Key
			who  string
			want error
		}{
			"by email":              {lin.Tenant, lin.Email, nil},
			"by email, in capitals": {lin.Tenant, strings.ToUpper(lin.Email), nil},
			"by user_id":            {lin.Tenant, lin.UserID, nil},
			"by email, elsewhere":   {w.Away.Tenant.Key, lin.Email, tenant.ErrNotFound},
			"by user_id, elsewhere": {w.Away.Tenant.Key, lin.UserID, tenant.ErrNotFound},
			"nobody":                {lin.Tenant, "nobody@example.org", tenant.ErrNotFound},
			"nothing":               {lin.Tenant, "", tenant.ErrNotFound},
			"a NUL":                 {lin.Tenant, "\x00", tenant.ErrNotFound},
			"a torn email":          {lin.Tenant, "\xff@example.org", tenant.ErrNotFound},
		} {
			u, err := w.FindUser(t.Context(), c.in, c.who)
			wants(t, name, err, c.want)
			if (err == nil && u.Num != lin.Num) || (err != nil && u.Num != 0) {
				t.Errorf("%s: %+v", name, u)
			}
		}
		_, err := w.User(t.Context(), w.Away.Tenant.Key, lin.Num)
		wants(t, "by number, elsewhere", err, tenant.ErrNotFound)
		people, err := w.Users(t.Context(), lin.Tenant)
		if err != nil || len(people) != 2 {
			t.Errorf("%d people, %v", len(people), err)
		}
	})
}

func TestAnAppIsMadeWithASecretThatIsNotKept(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		a, secret, err := w.CreateApp(t.Context(), w.Home.Tenant, tenant.AppSpec{Name: "Archive", Scopes: []string{scope.RecordRead, scope.Meeting, scope.RecordRead}, Events: []string{"b", "a", "b"}, EventURL: "https://example.org/e", Redirects: []string{"http://127.0.0.1:1/back?x=1"}})
		check(t, err)
		if !regexp.MustCompile(`^cli_[0-9a-f]{16}$`).MatchString(a.ID) || a.Type != tenant.Custom || a.DeveloperNum != w.Home.Tenant.Num || a.Tenant != w.Home.Tenant.Key || len(secret) != 32 {
			t.Errorf("made %+v, secret of %d characters", a, len(secret))
		}
		stored, err := w.App(t.Context(), a.ID)
		check(t, err)
		if strings.Contains(fmt.Sprintf("%+v", stored), string(secret)) || strings.Contains(string(stored.SecretHash), string(secret)) || len(stored.SecretHash) != 32 {
			t.Errorf("the secret is in %+v", stored)
		}
		if !slices.Equal(stored.Scopes, scope.Set{scope.Meeting, scope.RecordRead}) || !slices.Equal(stored.Events.Types, []string{"a", "b"}) {
			t.Errorf("scopes %v, events %v; want each once, in order", stored.Scopes, stored.Events.Types)
		}
		if len(stored.Events.EncryptKey) != 32 || len(stored.Events.VerificationToken) != 32 || stored.Events.EncryptKey != a.Events.EncryptKey || string(stored.Events.EncryptKey) == string(stored.Events.VerificationToken) {
			t.Error("encrypt key and verification token are not two secrets that can be read back")
		}
		plain, _, err := w.CreateApp(t.Context(), w.Home.Tenant, tenant.AppSpec{Name: "Plain", Type: tenant.Store, Plain: true})
		if err != nil || plain.Events.EncryptKey != "" || plain.Events.VerificationToken == "" || plain.Type != tenant.Store {
			t.Errorf("made %+v, %v", plain, err)
		}
	})
}

func TestWhatAnAppMayHave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	a, _, err := w.CreateApp(t.Context(), w.Home.Tenant, tenant.AppSpec{Name: "Archive"})
	check(t, err)
	for name, c := range map[string]struct {
		spec  tenant.AppSpec
		blame string
	}{
		"nothing":                     {tenant.AppSpec{}, ""},
		"a type that is none":         {tenant.AppSpec{Type: "isv"}, "type"},
		"a scope that is none":        {tenant.AppSpec{Scopes: []string{scope.Meeting, "vc:everything"}}, "scopes"},
		"redirect to http":            {tenant.AppSpec{Redirects: []string{"http://localhost/back"}}, ""},
		"redirect to a program":       {tenant.AppSpec{Redirects: []string{"javascript:alert(1)"}}, "redirect_urls"},
		"redirect to a path":          {tenant.AppSpec{Redirects: []string{"/back"}}, "redirect_urls"},
		"redirect to nowhere":         {tenant.AppSpec{Redirects: []string{"https://"}}, "redirect_urls"},
		"redirect with a line break":  {tenant.AppSpec{Redirects: []string{"https://a.example/\n"}}, "redirect_urls"},
		"redirect as long as a book":  {tenant.AppSpec{Redirects: []string{"https://a.example/" + strings.Repeat("a", 2048)}}, "redirect_urls"},
		"the second redirect is bad":  {tenant.AppSpec{Redirects: []string{"https://a.example/", ""}}, "redirect_urls"},
		"events to a file":            {tenant.AppSpec{EventURL: "file:///etc/passwd"}, "event_url"},
		"events to half a character":  {tenant.AppSpec{EventURL: "https://a.example/\xff"}, "event_url"},
		"events to an https address":  {tenant.AppSpec{EventURL: "https://a.example/e"}, ""},
		"events to an http address":   {tenant.AppSpec{EventURL: "HTTP://a.example:8080/e"}, ""},
		"events to something without": {tenant.AppSpec{EventURL: "a.example/e"}, "event_url"},
	} {
		c.spec.Name = "Archive"
		_, _, err := w.CreateApp(t.Context(), w.Home.Tenant, c.spec)
		blames(t, name, err, c.blame)
		if c.blame == "type" {
			continue // an app keeps its type, whatever a change says
		}
		_, err = w.UpdateApp(t.Context(), a.Tenant, a.ID, c.spec, false)
		blames(t, "changed to "+name, err, c.blame)
	}
}

func TestAnAppIsChangedByItsTenantOnly(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		a, away := w.Home.App, w.Away.Tenant.Key
		spec := tenant.AppSpec{Name: "Changed", Type: tenant.Store, Scopes: []string{scope.Record}}
		_, err := w.UpdateApp(t.Context(), away, a.ID, spec, true)
		wants(t, "update", err, tenant.ErrNotFound)
		_, err = w.SwitchApp(t.Context(), away, a.ID, true)
		wants(t, "switch", err, tenant.ErrNotFound)
		_, err = w.RotateSecret(t.Context(), away, a.ID)
		wants(t, "rotate", err, tenant.ErrNotFound)
		_, err = w.AppOf(t.Context(), away, a.ID)
		wants(t, "read", err, tenant.ErrNotFound)
		changed, err := w.UpdateApp(t.Context(), a.Tenant, a.ID, spec, true)
		check(t, err)
		if changed.Name != "Changed" || changed.Type != tenant.Custom || !changed.Disabled || changed.Scopes.String() != scope.Record || changed.Events.URL != "" || changed.Events.EncryptKey != a.Events.EncryptKey {
			t.Errorf("it is %+v", changed)
		}
		again, err := w.SwitchApp(t.Context(), a.Tenant, a.ID, false)
		if err != nil || again.Disabled || again.Name != "Changed" {
			t.Errorf("it is %+v, %v", again, err)
		}
		stored, err := w.AppOf(t.Context(), a.Tenant, a.ID)
		if err != nil || stored.Disabled || stored.Name != "Changed" || stored.Type != tenant.Custom {
			t.Errorf("stored is %+v, %v", stored, err)
		}
		apps, err := w.Apps(t.Context(), a.Tenant)
		if err != nil || len(apps) != 1 || apps[0].ID != a.ID {
			t.Errorf("apps %+v, %v", apps, err)
		}
	})
}

func TestOnlyTheCurrentSecretIsAccepted(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		a, old, err := w.CreateApp(t.Context(), w.Home.Tenant, tenant.AppSpec{Name: "Archive"})
		check(t, err)
		rotated, err := w.RotateSecret(t.Context(), a.Tenant, a.ID)
		check(t, err)
		for name, c := range map[string]struct {
			id     string
			secret tenant.Secret
			want   error
		}{
			"the new one":          {a.ID, rotated, nil},
			"the old one":          {a.ID, old, tenant.ErrSecretInvalid},
			"none":                 {a.ID, "", tenant.ErrSecretInvalid},
			"a piece of it":        {a.ID, rotated[:31], tenant.ErrSecretInvalid},
			"more than it":         {a.ID, rotated + "a", tenant.ErrSecretInvalid},
			"its hash":             {a.ID, tenant.Secret(a.SecretHash), tenant.ErrSecretInvalid},
			"of another app":       {w.Home.App.ID, rotated, tenant.ErrSecretInvalid},
			"of no app":            {"cli_0000000000000000", rotated, tenant.ErrNotFound},
			"of an app in capital": {strings.ToUpper(a.ID), rotated, tenant.ErrNotFound},
			"of a NUL":             {"\x00", rotated, tenant.ErrNotFound},
			"of half a character":  {"\xff", rotated, tenant.ErrNotFound},
		} {
			got, err := w.Authenticate(t.Context(), c.id, c.secret)
			wants(t, name, err, c.want)
			if (err == nil) != (got.ID == a.ID) {
				t.Errorf("%s: app %q with %v", name, got.ID, err)
			}
		}
	})
}

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	const s tenant.Secret = "open sesame"
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "secret", s, "app", tenant.Subscription{EncryptKey: s})
	printed := log.String() + fmt.Sprint(s) + fmt.Sprintf("%v %s %q %#v %+v %#v", s, s, s, s, tenant.Subscription{EncryptKey: s, VerificationToken: s}, tenant.Subscription{EncryptKey: s})
	if strings.Contains(printed, "sesame") || !strings.Contains(printed, "***") {
		t.Errorf("printed %s", printed)
	}
}
